/* SPDX-License-Identifier: Apache-2.0 */
/* h5compare A B [PATH...]: 0 when two HDF5 files hold the same, 1 with a line when they differ,
 * 2 when that cannot be told. */
#include <larder/hdf5.h>
#include <stdio.h>
#include <string.h>

int main (int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf (stderr, "usage: h5compare A B [PATH...]\n");
        return 2;
    }
    int differs = 0;
    larder_error err;
    memset (&err, 0, sizeof err);
    if (larder_h5_compare (argv[1], argv[2], (const char *const *)&argv[3], argc - 3, &differs,
                           &err) < 0) {
        (void)fprintf (stderr, "h5compare: %s (%s)\n", err.text, larder_code_name (err.code));
        return 2;
    }
    if (differs)
        (void)printf ("%s\n", err.text);
    return differs;
}
