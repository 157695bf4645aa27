/* SPDX-License-Identifier: Apache-2.0 */
/* What every CUnit test program shares: one suite, a table of tests, an exit code that is non-zero
 * when an assertion failed or when none ran. */
#ifndef LARDER_TEST_H
#define LARDER_TEST_H

#include <CUnit/Basic.h>
#include <stddef.h>
#include <stdio.h>

struct larder_test {
    const char *name;
    void (*run) (void);
};

/* Run a table of tests that ends with {NULL, NULL}.  Returns the exit code of main. */
static inline int larder_test_main (const char *suite, const struct larder_test *tests)
{
    if (CU_initialize_registry () != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite (suite, NULL, NULL);
    int bad = s == NULL;
    for (; !bad && tests->name; ++tests)
        bad = CU_add_test (s, tests->name, tests->run) == NULL;
    if (!bad) {
        CU_basic_set_mode (CU_BRM_VERBOSE);
        bad = CU_basic_run_tests () != CUE_SUCCESS || CU_get_number_of_failures () != 0 ||
              CU_get_number_of_asserts () == 0;
        /* Once more on stderr: an MPI rank's stdout is not shown. */
        for (CU_pFailureRecord f = CU_get_failure_list (); f; f = f->pNext)
            fprintf (stderr, "FAILED %s:%u: %s\n", f->strFileName, f->uiLineNumber,
                     f->strCondition);
    }
    CU_cleanup_registry ();
    return bad;
}

#endif
