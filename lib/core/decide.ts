import { assertNever } from './assert.ts';
import type { SituationName } from './situation.ts';

/** What follows from a situation. `handBack` ends as escalated before a push and as frozen after one. */
export type Decision =
  | 'wait'
  | 'fix forward'
  | 'nudge'
  | 'restart'
  | 'release'
  | 'end done'
  | 'end cancelled'
  | 'escalate'
  | 'freeze';

/** What a run may still do. `executorSuspect`: the run before it could not start either. */
export type Allowances = {
  pushed: boolean;
  attempt: boolean;
  nudge: boolean;
  restart: boolean;
  executorSuspect: boolean;
};

/**
 * The decision, row for row:
 *
 * | situation                                                              | decision                                      |
 * |------------------------------------------------------------------------|-----------------------------------------------|
 * | cancelled by a person · issue gone                                     | end cancelled                                 |
 * | out of reach · landed, turn still out · CI or deployment pending · red, turn still out · over, not yet settled · at work | wait |
 * | out of reach too long · elsewhere                                      | escalate                                      |
 * | landed                                                                 | end done                                      |
 * | no CI · CI blocked · CI overdue · deployment overdue                   | freeze                                        |
 * | could not start · lost                                                 | restart if allowed; else release if the executor is suspect; else hand back |
 * | stalled                                                                | restart if allowed, else hand back            |
 * | run overdue · asking · vanished · failed · turn overdue                | hand back                                     |
 * | red, turn over                                                         | fix forward if allowed, else freeze           |
 * | idle end · silent end                                                  | nudge if allowed, else escalate               |
 *
 * Hand back is *escalate* before a push and *freeze* after one.
 */
export const decide = (situation: SituationName, allowances: Allowances): Decision => {
  const handBack: Decision = allowances.pushed ? 'freeze' : 'escalate';
  switch (situation) {
    case 'cancelled by a person':
    case 'issue gone':
      return 'end cancelled';
    case 'out of reach':
    case 'landed, turn still out':
    case 'CI pending':
    case 'deployment pending':
    case 'red, turn still out':
    case 'over, not yet settled':
    case 'at work':
      return 'wait';
    case 'out of reach too long':
    case 'elsewhere':
      return 'escalate';
    case 'landed':
      return 'end done';
    case 'no CI':
    case 'CI blocked':
    case 'CI overdue':
    case 'deployment overdue':
      return 'freeze';
    case 'could not start':
    case 'lost':
      if (allowances.restart) return 'restart';
      return allowances.executorSuspect ? 'release' : handBack;
    case 'stalled':
      return allowances.restart ? 'restart' : handBack;
    case 'run overdue':
    case 'asking':
    case 'vanished':
    case 'failed':
    case 'turn overdue':
      return handBack;
    case 'red, turn over':
      return allowances.attempt ? 'fix forward' : 'freeze';
    case 'idle end':
    case 'silent end':
      return allowances.nudge ? 'nudge' : 'escalate';
    default:
      return assertNever(situation);
  }
};
