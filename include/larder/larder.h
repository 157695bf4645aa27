/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * larder: hand large objects from one rank to the others, by reference, through bounded node
 * caches. Includes all of the core library's headers; <larder/file.h> and <larder/hdf5.h> belong to
 * the library larder_hdf5io. */
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H

#include <larder/collective.h>
#include <larder/config.h>
#include <larder/consumer.h>
#include <larder/download.h>
#include <larder/encode.h>
#include <larder/error.h>
#include <larder/event.h>
#include <larder/handler.h>
#include <larder/message.h>
#include <larder/object.h>
#include <larder/offer.h>
#include <larder/receipt.h>
#include <larder/receivers.h>
#include <larder/ref.h>
#include <larder/resolve.h>
#include <larder/session.h>
#include <larder/shape.h>
#include <larder/shared.h>
#include <larder/transaction.h>
#include <larder/version.h>

#endif
