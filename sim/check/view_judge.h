/* Judgement of one view: compares it with the oracle, moves the model to the commit where it stands, and,
 * when a promise is broken, decides which one and fills in a finding. Each function is called with the view's
 * rows already in the model. The most specific promise wins: going back, a missing own write, a part of a
 * commit, and last the general one that some commit explains the view. */
#ifndef SYNCLINE_CHECK_VIEW_JUDGE_H
#define SYNCLINE_CHECK_VIEW_JUDGE_H

#include "check/view_model.h"

/* A published checkpoint. True: something is broken. What is wrong in the same way as before is not found
 * again. */
bool view_judge_checkpoint(const struct oracle *oracle, const struct client_schema *schema,
                           struct view_model *model, const struct history_record *record,
                           struct view_finding *finding);

/* A partial checkpoint: only the tables up to its priority (the record's `transaction`, 0..2) are compared.
 * With priority 0 it may come before own writes are acknowledged, and then go over them. */
bool view_judge_partial(const struct oracle *oracle, struct view_model *model,
                        const struct history_record *record, struct view_finding *finding);

/* The view after an own write does not show it. */
void view_judge_write_not_shown(const struct view_model *model, const struct view_expectation *expectation,
                                const struct history_record *record, struct view_finding *finding);
/* A row changed between checkpoints that no own write touched. */
void view_judge_stray_row(const struct view_model *model, const struct view_row *row, const char *before,
                          const struct history_record *record, struct view_finding *finding);
/* A restart changed the view; `row` is the first that differs. */
void view_judge_restart(const struct oracle *oracle, struct view_model *model, const struct view_row *row,
                        const char *before, const struct history_record *record,
                        struct view_finding *finding);

#endif
