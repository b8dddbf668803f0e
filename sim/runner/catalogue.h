/* The marks and fault points that the parties can report, so that a report can name those that a run never
 * reached. A test compares both lists with the source. Marks that only a mutant can reach are left out. */
#ifndef SYNCLINE_RUNNER_CATALOGUE_H
#define SYNCLINE_RUNNER_CATALOGUE_H

const char *const *catalogue_marks(void);        /* sorted, NULL-terminated */
const char *const *catalogue_fault_points(void); /* sorted, NULL-terminated */

#endif
