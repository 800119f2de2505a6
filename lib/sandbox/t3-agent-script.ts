/**
 * What a scripted agent does with one turn, decided when T3 hands it the turn. A script is a value: the same turn asked
 * about twice gets the same one.
 *
 * - `ok`: the process comes up within `startMs` and performs `acts` in order. Without an `end` it goes on for ever
 *   without moving: a hang that still answers an interrupt.
 * - `deaf`: it answers no interrupt and no stop; asking for one wedges the whole server until it is killed.
 * - `steering`: what becomes of a message sent while the turn runs; `queue` (a turn of its own afterwards) by default.
 * - the others never become a turn; `never` is a turn that T3 accepted and lost.
 */
export type AgentScript =
  | {
      readonly starts: 'ok';
      readonly acts: readonly AgentAct[];
      readonly startMs?: number;
      readonly deaf?: boolean;
      readonly steering?: 'absorb' | 'queue';
    }
  | { readonly starts: 'missing-binary' | 'unknown-instance' | 'worktree-gone' | 'never' };

/** One thing an agent does, `afterMs` after the thing before it (or after the turn's beginning, or after the answer). */
export type AgentAct = { readonly afterMs: number } & AgentDeed;

/**
 * What an agent can do. `tokens` is what was processed so far in all; told `at-end` it shows only when the turn ends, as in
 * every recording. `world` is for whoever composes worlds: T3 sees nothing of it, `perform` is called with it.
 * After `ask` and `approve` the script rests until it is answered, then does `onAnswer` (an approval that was refused:
 * `onDecline`, where there is one) and goes on with what follows.
 */
export type AgentDeed =
  | { readonly does: 'say'; readonly text: string }
  | { readonly does: 'tool'; readonly detail: string }
  | { readonly does: 'tokens'; readonly total: number; readonly used?: number; readonly told?: 'now' | 'at-end' }
  | { readonly does: 'change-file'; readonly path: string }
  | { readonly does: 'plan'; readonly step: string; readonly completed: number; readonly total: number }
  | {
      readonly does: 'ask';
      readonly question: string;
      readonly options: readonly { readonly label: string; readonly description: string }[];
      readonly onAnswer?: readonly AgentAct[];
    }
  | {
      readonly does: 'approve';
      readonly detail: string;
      readonly onAnswer?: readonly AgentAct[];
      readonly onDecline?: readonly AgentAct[];
    }
  | { readonly does: 'world'; readonly act: unknown }
  | ({ readonly does: 'end' } & AgentEnd);

/**
 * How an agent leaves its turn, `text` being its last words. What T3 shows of it:
 *
 * | how | turn | session | process |
 * |---|---|---|---|
 * | completed, api-error | completed | ready | idle |
 * | background | completed, and a turn of its own after `backgroundMs` | ready | at work unseen |
 * | exit-zero | completed | stopped | gone |
 * | error | error | error, `lastError` | idle |
 * | crash | error | stopped, with T3's own `lastError` | gone |
 */
export type AgentEnd = { readonly text?: string } & (
  | { readonly how: 'completed' | 'api-error' | 'exit-zero' | 'crash' }
  | { readonly how: 'error'; readonly lastError: string }
  | { readonly how: 'background'; readonly backgroundMs: number; readonly afterEnd: readonly AgentAct[] }
);

/** The turn an agent is asked to do: `turnNumber` counts from 1 the turns taken up in this thread. Times are epoch ms. */
export type AgentTurn = {
  readonly threadId: string;
  readonly threadTitle: string;
  readonly projectId: string;
  /** Where the agent works: the worktree, else the project's root, else (project deleted) the server's own directory. */
  readonly workspaceRoot: string;
  readonly turnNumber: number;
  readonly text: string;
  readonly startedAt: number;
};
