/* SPDX-License-Identifier: Apache-2.0 */
/** \file
 * Receipts: who got what of a transaction. */
#ifndef LARDER_RECEIPT_H
#define LARDER_RECEIPT_H

#include <larder/object.h>
#include <larder/ref.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a receipt says of the whole. */
typedef enum larder_verdict {
    LARDER_VERDICT_COMPLETED = 1, /**< every expected receiver has every object */
    LARDER_VERDICT_FAILED = 2,
    LARDER_VERDICT_ABORTED = 3 /**< deleted before that */
} larder_verdict;

/** Why.  The first rule that fits decides, in this order. */
typedef enum larder_reason {
    LARDER_REASON_ALL_SUCCEEDED = 1, /**< also when it was deleted or timed out after that */
    LARDER_REASON_DELETED = 2,
    LARDER_REASON_TIMEOUT = 3,
    LARDER_REASON_UNKNOWN_RECEIVER_COUNT = 4, /**< nobody knows who all receivers are */
    LARDER_REASON_NO_OBJECTS = 5,
    LARDER_REASON_RECEIVER_FAILED = 6,
    LARDER_REASON_COMPUTATION_FAILED = 7 /**< the receipt could not be made; nothing is known */
} larder_reason;

/** What a receipt says of one receiver and one object. */
typedef enum larder_receiver_verdict {
    LARDER_RECEIVER_SUCCEEDED = 1,
    LARDER_RECEIVER_FAILED = 2, /**< code says with what */
    LARDER_RECEIVER_MISSING = 3 /**< it never was final: the transaction ended before, or
                                    the object had failed when it came; code says which */
} larder_receiver_verdict;

/** One receiver's line of a receipt. */
typedef struct larder_receipt_line {
    int rank;     /**< -1: a next receiver of `via` that never came, so nobody knows who it is */
    int acquired; /**< 1: it began with some object of the transaction */
    larder_receiver_verdict verdict;
    int code; /**< LARDER_OK, or the error that was recorded */
    int via;  /**< the rank that passed the ref on to it (larder_ref_split); -1: none */
} larder_receipt_line;

/** One object's page of a receipt. */
typedef struct larder_receipt_object {
    larder_ref ref;
    const char *name;
    const larder_receipt_line *lines; /**< one per receiver, ascending by rank; first those that
                                         nobody knows */
} larder_receipt_object;

/** A receipt.  It never changes. */
typedef struct larder_receipt {
    uint64_t transaction;
    larder_verdict verdict;
    larder_reason reason;
    larder_done done;
    int expected;      /**< receivers expected; 0: unknown */
    int receivers;     /**< lines of every object: declared receivers and those that came in their
                            places, or those that came */
    int min_receivers; /**< as asked for; 0: not */
    int quorum_met; /**< at least min_receivers have every object; without min_receivers: completed */
    int objects;
    const larder_receipt_object *object; /**< `objects` of them, in the order they were added */
    int callback_code; /**< what the first of transaction_done and outcome that failed returned; 0 */
    double seconds;    /**< from live to the end, by the owner's attended time */
    int64_t time;      /**< seconds since 1970 when it was settled, by the wall clock */
} larder_receipt;

/** Texts of the enums above: "completed", "all_receivers_succeeded", "succeeded", ...  Collective: no.
 * Thread: any.  Blocks: no.
 * \return A static text, never NULL; unknown values give "unknown". */
const char *larder_verdict_text (larder_verdict verdict);
const char *larder_reason_text (larder_reason reason);
const char *larder_receiver_verdict_text (larder_receiver_verdict verdict);

/** Free a receipt.  Collective: no.  Thread: any.  Blocks: no.  NULL is allowed; *receipt is NULL
 * afterwards. */
void larder_receipt_free (larder_receipt **receipt);

#ifdef __cplusplus
}
#endif
#endif
