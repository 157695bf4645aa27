/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: made from a transaction's books when it ends, then kept for a while. */
#ifndef LARDER_RECEIPT_PRIVATE_H
#define LARDER_RECEIPT_PRIVATE_H

#include "larder_txn.h"
#include <larder/receipt.h>

/* Receipts are kept so long. */
#define LARDER_RECEIPT_KEPT_S 1800.0

/* What the books do not say. */
struct larder_receipt_facts {
    uint64_t transaction;
    larder_done done;
    double seconds;
    int64_t time;
    const larder_ref *refs;   /* one per page of the books */
    const char *const *names; /* likewise */
};

/* LARDER_OK or LARDER_ENOMEM. */
int larder_receipt_make (const struct larder_receipt_facts *facts, const struct larder_txn *txn,
                         larder_receipt **out, larder_error *err);

/* A receipt that says that none could be made; from memory that was set aside before. */
void larder_receipt_blank (const struct larder_receipt_facts *facts, const struct larder_txn *txn,
                           larder_receipt *out);

int larder_receipt_copy (const larder_receipt *receipt, larder_receipt **out, larder_error *err);

/* Kept receipts, the oldest first. */
struct larder_receipts {
    struct larder_receipt_entry {
        larder_receipt *receipt;
        double at;
    } * entries;
    int first, count, capacity; /* entries[first .. first + count) */
};

/* Make room for one more, so that larder_receipts_add cannot fail. */
int larder_receipts_reserve (struct larder_receipts *kept, int more, larder_error *err);
/* Takes the receipt over. */
void larder_receipts_add (struct larder_receipts *kept, larder_receipt *receipt, double now);
/* NULL: unknown or expired. */
const larder_receipt *larder_receipts_find (const struct larder_receipts *kept,
                                            uint64_t transaction);
void larder_receipts_expire (struct larder_receipts *kept, double now);
void larder_receipts_free (struct larder_receipts *kept);

#endif
