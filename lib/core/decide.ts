import { assertNever } from './assert.ts';
import type { SituationName } from './situation.ts';

/** What follows from a situation. `resume` is what a halt makes of some of the others (`afterHalt`). */
export type Decision =
  | 'wait'
  | 'fix forward'
  | 'nudge'
  | 'answer'
  | 'interrupt'
  | 'say so'
  | 'park'
  | 'try again'
  | 'resume'
  | 'restart'
  | 'release'
  | 'end done'
  | 'end cancelled'
  | 'escalate'
  | 'freeze';

/** What a run may still do. `release`: what could not start is the executor's fault, and the issue may be given back to the queue for it. */
export type Allowances = {
  pushed: boolean;
  attempt: boolean;
  nudge: boolean;
  restart: boolean;
  park: boolean;
  release: boolean;
};

/**
 * The decision, row for row:
 *
 * | situation                                                              | decision                                      |
 * |------------------------------------------------------------------------|-----------------------------------------------|
 * | cancelled by a person · issue gone                                     | end cancelled                                 |
 * | out of reach · landed, turn still out · CI or deployment pending · red, turn still out · over, not yet settled · parked · at work · pull request pending, waits or merged | wait |
 * | out of reach too long · turn overdue · elsewhere                       | escalate                                      |
 * | landed                                                                 | end done                                      |
 * | no CI · CI blocked · CI overdue · deployment overdue                   | freeze                                        |
 * | could not start · lost                                                 | restart if allowed; else release if that is the executor's fault; else hand back |
 * | stalled                                                                | restart if allowed, else hand back            |
 * | asking                                                                 | answer                                        |
 * | asking still · told to stop asking                                     | interrupt · say so, in a turn                 |
 * | run overdue · asking again · vanished · failed · over budget · red as the base was · pull request overdue or refused | hand back |
 * | red, turn over                                                         | fix forward if allowed, else freeze           |
 * | red too long                                                           | freeze                                        |
 * | pull request red or conflicting                                        | fix forward if allowed, else hand back        |
 * | pull request draft                                                     | nudge if allowed, else hand back              |
 * | idle end                                                               | park if allowed; else nudge if allowed, else escalate |
 * | park over                                                              | try again                                     |
 * | silent end · no pull request                                           | nudge if allowed, else escalate               |
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
    case 'parked':
    case 'at work':
    case 'pull request pending':
    case 'pull request waits':
    case 'pull request merged':
      return 'wait';
    case 'asking':
      return 'answer';
    case 'asking still':
      return 'interrupt';
    case 'told to stop asking':
      return 'say so';
    case 'park over':
      return 'try again';
    case 'out of reach too long':
    case 'turn overdue':
    case 'elsewhere':
      return 'escalate';
    case 'landed':
      return 'end done';
    case 'no CI':
    case 'CI blocked':
    case 'CI overdue':
    case 'deployment overdue':
    case 'red too long':
      return 'freeze';
    case 'could not start':
    case 'lost':
      if (allowances.restart) return 'restart';
      return allowances.release ? 'release' : handBack;
    case 'stalled':
      return allowances.restart ? 'restart' : handBack;
    case 'run overdue':
    case 'asking again':
    case 'vanished':
    case 'failed':
    case 'over budget':
    case 'red as the base was':
    case 'pull request overdue':
    case 'pull request refused':
      return handBack;
    case 'red, turn over':
      return allowances.attempt ? 'fix forward' : 'freeze';
    case 'pull request red':
    case 'pull request conflicting':
      return allowances.attempt ? 'fix forward' : handBack;
    case 'pull request draft':
      return allowances.nudge ? 'nudge' : handBack;
    case 'idle end':
      if (allowances.park) return 'park';
      return allowances.nudge ? 'nudge' : 'escalate';
    case 'silent end':
    case 'no pull request':
      return allowances.nudge ? 'nudge' : 'escalate';
    default:
      return assertNever(situation);
  }
};

/**
 * What follows for a run that the kill switch halted, now that it is off again. The halt explains the interrupted
 * turn: where the decision would be a nudge, a park or a wait for what the turn has left behind, the turn is taken up
 * again, at no charge; so is a turn that was mending a red push (`isMending`). Every other decision stands. `mayResume`:
 * its thread is there, and no turn is out in it.
 */
export const afterHalt = (
  decision: Decision,
  situation: SituationName,
  { mayResume, isMending }: { mayResume: boolean; isMending: boolean },
): Decision => {
  // The interrupted turn is our doing: it costs no nudge, and no run that has none left.
  if (reminded.has(situation)) return 'resume';
  if (isMending && mended.has(situation)) return 'resume';
  return mayResume && leftBehind.has(situation) ? 'resume' : decision;
};

const reminded: ReadonlySet<SituationName> = new Set([
  'silent end',
  'idle end',
  'no pull request',
  'pull request draft',
]);
const mended: ReadonlySet<SituationName> = new Set(['red, turn over', 'pull request red', 'pull request conflicting']);
/** Waits that a turn which was cut short leaves behind. In the others a turn is out, or it is not known how it ended. */
const leftBehind: ReadonlySet<SituationName> = new Set([
  ...(['CI pending', 'deployment pending', 'parked'] as const),
  ...(['pull request pending', 'pull request waits', 'pull request merged'] as const),
]);
