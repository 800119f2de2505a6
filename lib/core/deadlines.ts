const minutes = (n: number): number => n * 60_000;

/**
 * How long each wait may last, in ms of run time unless it says wall time. Each is the limit of one wait of the
 * design's table; a test removes each and watches something fail.
 */
export const deadlines = {
  /** A turn asked for that nothing shows of: lost. */
  noSessionMs: minutes(2),
  /** A session that reads ready or idle without having taken the turn up: it could not start. */
  readyWithoutTurnMs: 30_000,
  startingMs: minutes(10),
  /** No movement in the executor while a turn is at work: stalled. */
  stillMs: minutes(20),
  /** `movedAt` is written anew only when it is older than this: movement alone costs few writes. */
  movementGrainMs: minutes(5),
  prePushMs: minutes(4 * 60),
  wholeRunMs: minutes(12 * 60),
  ciAppearsMs: minutes(10),
  ciMs: minutes(60),
  deployMs: minutes(60),
  /** So long a pull request waits for a review or its merge, from its head first seen: a working day. */
  pullMs: minutes(8 * 60),
  /** A last completion younger than this may still be followed by a late starter. */
  ciSettlesMs: 60_000,
  /** After green a turn may go on tidying for so long. */
  graceAfterGreenMs: minutes(10),
  /** A turn that reads over is judged only this much later: a checkpoint or background work may follow. */
  overSettlesMs: 45_000,
  /** An agent asked to leave and not seen out: the repo stays locked and a person is told. */
  leaveMs: minutes(10),
  /** Wall time: a world out of reach for so long ends the run. */
  outOfReachMs: minutes(24 * 60),
  /** Wall time: an issue that cannot be found is believed to be gone only after this. */
  goneMs: minutes(10),
  /** Wall time: an owed command or mirror younger than this belongs to the invocation that recorded it. */
  ownMs: 90_000,
  /** Wall time: a claim or an opening nobody carried out goes back to the queue. */
  staleClaimMs: minutes(10),
  /** Wall time: watcher looks further apart than this were an outage of ours, not the run's time. */
  gapMs: minutes(3),
  /** Wall time: after a start that was the executor's fault the issue waits so long. */
  coolDownMs: minutes(30),
  refusalMs: minutes(15),
  leaseMs: 90_000,
  sweepEveryMs: minutes(60),
  /** A sweep that did not come through, or died, is due again after this. */
  sweepAgainMs: minutes(15),
  preflightEveryMs: minutes(24 * 60),
  /** After what looked like a provider's failure a run waits so long, then twice and four times as long. */
  parkMs: minutes(10),
  /** A turn at work is asked for its tokens this often. */
  tokensEveryMs: minutes(10),
  /** An answer is given so long to be taken up before the agent is interrupted to be told in a turn. */
  answerMs: 45_000,
  /** Wall time: after a flip of the kill switch the watcher halts what is out for so long. */
  haltMs: minutes(30),
  /** Wall time: a halted turn that is not over is interrupted again after this. */
  haltAgainMs: minutes(1),
} as const;
