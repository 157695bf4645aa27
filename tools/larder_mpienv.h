/* SPDX-License-Identifier: Apache-2.0 */
/* What the environment says before MPI_Init: is there a launcher, which rank is this, and which
 * variables MPI needs so that one-sided windows work. */
#ifndef LARDER_MPIENV_H
#define LARDER_MPIENV_H

/* 1: this process was started as one of several by mpirun, srun or the like. */
int larder_mpienv_launched (void);

/* The rank that the launcher gave, 0 without one. */
int larder_mpienv_rank (void);

/* The facts that the decision needs. */
struct larder_mpienv_facts {
    const char *library; /* MPI_Get_library_version */
    const char *osc;     /* OMPI_MCA_osc, NULL if unset */
    const char *yield;   /* OMPI_MCA_mpi_yield_when_idle, NULL if unset */
    int infiniband;      /* 1: there is such hardware */
    int local_ranks;     /* on this host, 0: not known */
    int cores;           /* of this host */
};

/* What to set. */
struct larder_mpienv_choice {
    int osc;   /* 1: OMPI_MCA_osc=sm,pt2pt */
    int yield; /* 1: OMPI_MCA_mpi_yield_when_idle=1 */
};

/* Pure: what these facts ask for. */
struct larder_mpienv_choice larder_mpienv_choose (const struct larder_mpienv_facts *facts);

/* Look, choose and set; to be called before MPI_Init.  What the user has set is never changed. */
struct larder_mpienv_choice larder_mpienv_prepare (void);

/* First line of MPI_Get_library_version without what follows a comma: "Open MPI v4.1.4". */
const char *larder_mpienv_library (void);

#endif
