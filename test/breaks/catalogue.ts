/**
 * A deliberate break of the product: a promise no longer kept. `find` is the exact text in the file today, found there
 * once, and `replace` what stands there instead; several edits make one break where one place alone would not break it.
 */
export type Break = { name: string; promise: string; edits: readonly Edit[] };
export type Edit = { file: string; find: string; replace: string };

const advance = 'lib/shell/advance.ts';
const claim = 'lib/shell/claim.ts';
const deadlines = 'lib/core/deadlines.ts';
const finish = 'lib/shell/finish.ts';
const leaving = 'lib/shell/leaving.ts';
const lease = 'lib/shell/lease.ts';
const obey = 'lib/shell/obey.ts';
const situation = 'lib/core/situation.ts';

/** A break that takes one edit. */
const one = (name: string, promise: string, file: string, find: string, replace: string): Break => ({
  name,
  promise,
  edits: [{ file, find, replace }],
});

/** Every break there is; each one has to be caught by a test, best by one of the simulation. */
export const breaks: readonly Break[] = [
  one(
    'act before recording',
    'record, then act',
    advance,
    'const recorded = to === from.item.run ? from : await record(tick, from, to);',
    `if (to !== from.item.run && to.command !== null)
    await obeyOrRefused(tick, to, to.command, shared.look ?? (await tick.ports.executor.look()));
  const recorded = to === from.item.run ? from : await record(tick, from, to);`,
  ),
  one(
    'fresh ids on retry',
    'ask twice, get once',
    obey,
    `commandId: commandIdOf(run.id, turn.n, 'turn', attempt),
        threadId,
        messageId: messageIdOf(run.id, turn.n),`,
    `commandId: commandIdOf(run.id, turn.n, 'turn ' + tick.by, attempt),
        threadId,
        messageId: messageIdOf(run.id + tick.by, turn.n),`,
  ),
  one(
    'the next id where an id was not answered',
    'ask twice, get once: an outage is no refusal',
    obey,
    `if ((await act(attempt)) === 'accepted') return true;`,
    `if ((await act(attempt).catch(() => 'refused')) === 'accepted') return true;`,
  ),
  {
    name: 'the label as the lock',
    promise: 'one agent per repo; a label is for people, never the lock',
    edits: [
      {
        file: 'lib/core/record.ts',
        find: 'return runKey(item.run.repo);',
        replace: "return runKey(item.run.repo) + '#' + item.run.issue.number;",
      },
      {
        file: finish,
        find: '(await tick.ports.store.read(runKey(run.repo)))',
        replace: "(await tick.ports.store.read(runKey(run.repo) + '#' + run.issue.number))",
      },
      {
        file: claim,
        find: 'if (open.some((run) => run.repo.id === repo.id && run.repo.host === repo.host))',
        replace: 'if (detail.labels.some(({ name }) => name === settings.labels.inProgress))',
      },
      {
        file: 'lib/shell/poll.ts',
        find: "new Set(ofKind(items, 'run').map(({ item }) => item.run.repo.id))",
        replace: 'new Set()',
      },
      {
        file: 'lib/core/dispatch-gates.ts',
        find: `({ facts }) => when(facts.openRun !== null, `,
        replace: `({ facts, issue }) => when(has(issue, facts.settings.labels.inProgress), `,
      },
    ],
  },
  one(
    'lock freed before the agent is out',
    'the agent is what is locked: a repo is free once its agent is seen to be out',
    leaving,
    `if (step === 'out') {`,
    `if (step === 'out' || (run.phase === 'ending' && run.leaving.lastOrderAt !== null)) {`,
  ),
  one(
    'a new turn before the agent was seen out',
    'a restart interrupts, waits, stops, waits, and only then asks anew',
    leaving,
    `if (step === 'out') {`,
    `if (step === 'out' || (run.phase === 'restarting' && run.leaving.lastOrderAt !== null)) {`,
  ),
  one('no deadline for a still agent', 'every wait has an end', deadlines, 'stillMs: minutes(20)', 'stillMs: Infinity'),
  one(
    'no deadline for a whole run',
    'every wait has an end',
    deadlines,
    'wholeRunMs: minutes(12 * 60)',
    'wholeRunMs: Infinity',
  ),
  one('no deadline for CI', 'every wait has an end', deadlines, 'ciMs: minutes(60)', 'ciMs: Infinity'),
  one(
    'no deadline for an agent that does not leave',
    'not seen out in time: the repo stays locked, and a person is told',
    leaving,
    'const isLate = clock - run.leaving.since > deadlines.leaveMs;',
    'const isLate = false;',
  ),
  one(
    'asking again while a turn is out',
    'a turn is asked for only when the last one is over',
    situation,
    `if (isTurnOut(agent)) return { name: 'red, turn still out', why };`,
    `if (isTurnOut(agent)) return { name: 'red, turn over', why };`,
  ),
  one(
    'a turn judged over the moment it reads so',
    'an end that other work follows is none',
    deadlines,
    'overSettlesMs: 45_000',
    'overSettlesMs: 0',
  ),
  one(
    'clock counted through an outage',
    'no deadline is ever an outage’s fault',
    'lib/core/run.ts',
    'return now - (lostMs - run.lostMsAtClaim) - run.pausedMs - trackerDownMs(run, lostMs, now);',
    'return now;',
  ),
  one(
    'hand-back leaves the ready label on',
    'a handed-back issue is never picked up by itself',
    'lib/core/mirror.ts',
    'labels: { add: [human], remove: [ready, inProgress] }',
    'labels: { add: [human], remove: [inProgress] }',
  ),
  {
    name: 'a comment posted anew for each phase',
    promise: 'one comment per run, edited in place',
    edits: [
      {
        file: 'lib/core/mirror.ts',
        find: 'const marker = markerOf(run.id);',
        replace: 'const marker = markerOf(run.id + run.phase);',
      },
      {
        file: advance,
        find: 'ensureMirror(issue, due.mirror, run.mirror.commentId)',
        replace: 'ensureMirror(issue, due.mirror, null)',
      },
    ],
  },
  one(
    'a mirror written by two at once',
    'one comment per run: the record says whose it is to write',
    advance,
    ' || isAnothers(tick, writing)',
    '',
  ),
  one(
    'condition dropped from a write',
    'a step is one conditional write: whoever read an older state loses',
    advance,
    'const written = await tick.ports.store.replace(from, {',
    `const newest = (await tick.ports.store.readNow()).items.find(
    ({ item }) => item.kind === 'run' && item.run.id === to.id,
  );
  const written = await tick.ports.store.replace(newest ?? from, {`,
  ),
  one(
    'claim sent without a second ruling',
    'a claim that was left lying is ruled upon anew before anything is sent',
    'lib/shell/poll.ts',
    'if ((await recheckClaim(tick, stored, run)) !== null) return;',
    '',
  ),
  one(
    'sent as it was read before the lock',
    'what authorised a claim is asked again right before anything is sent',
    claim,
    'if (changed !== null) return changed;',
    '',
  ),
  one(
    'a late opening sent unasked',
    'what authorised a claim is asked again right before anything is sent',
    'lib/shell/resume.ts',
    `kind === 'opening' ? await recheck(tick, run) : null`,
    'kind === null ? await recheck(tick, run) : null',
  ),
  one(
    'a claim left lying is never given back',
    'every wait has an end: no phantom lock',
    'lib/shell/watch.ts',
    'if (ageOf(run.claimedAt, tick.now()) <= deadlines.staleClaimMs) return;',
    'if (run.claimedAt !== null) return;',
  ),
  one(
    'ring before the end is stored',
    'people are told of what is stored, once each where nothing dies',
    finish,
    'await tick.ports.store.keepHistory(ended);',
    `if (run.outcome !== 'released')
    for (const bell of tick.ports.doorbells) await bell.ring((await import('../core/notification.ts')).noticeOf(ended));
  await tick.ports.store.keepHistory(ended);`,
  ),
  {
    name: 'lock freed before the end is stored',
    promise: 'history and debts are stored, then the lock goes',
    edits: [
      {
        file: finish,
        find: 'await tick.ports.store.keepHistory(ended);',
        replace: `if ((await tick.ports.store.remove(stored)) === 'lost') return;
  await tick.ports.store.keepHistory(ended);`,
      },
      {
        file: finish,
        find: `if (held?.kind !== 'run' || held.run.id !== run.id) return;`,
        replace: `if (held !== undefined && (held.kind !== 'run' || held.run.id !== run.id)) return;`,
      },
    ],
  },
  one(
    'owed removed before it is paid',
    'nothing is lost: what is owed goes when nothing of it is left',
    'lib/shell/owed.ts',
    `if (owed === 'lost' || !isPaid(tick, owed.item)) return;`,
    `if (owed === 'lost') return;`,
  ),
  one(
    'act not marked spent',
    'an act authorises at most one run',
    finish,
    ': { actId: act.id, actAt: act.at, outcome, runId: ended.id, commits: ended.commits },',
    ': (before?.spent ?? null),',
  ),
  one(
    'halt not recorded',
    'the kill switch is recorded before it interrupts: T3 will call the turn completed',
    'lib/shell/halt.ts',
    `if ((await tick.ports.store.replace(stored, { kind: 'run', run: { ...run, halt } })) === 'lost') return;`,
    '',
  ),
  one(
    'brake not read before a dispatch',
    'nothing starts disarmed: the kill switch is read right before each act',
    obey,
    `const brake = await brakeOn(tick, run.repo.name, turn.kind === 'opening');`,
    'const brake = null;',
  ),
  one(
    'allowlist not read before a dispatch',
    'nothing starts in a repo that is not enrolled',
    obey,
    `return control.allowlist.includes(repo.toLowerCase()) ? null : 'the repo was taken off the allowlist';`,
    'return null;',
  ),
  {
    name: 'allowlist dropped altogether',
    promise: 'nothing starts in a repo that is not enrolled',
    edits: [
      {
        file: obey,
        find: `return control.allowlist.includes(repo.toLowerCase()) ? null : 'the repo was taken off the allowlist';`,
        replace: 'return null;',
      },
      {
        file: 'lib/core/dispatch-gates.ts',
        find: 'when(!isEnrolled(judged) && !wasEnrolled(judged), ',
        replace: 'when(isEnrolled(judged) && wasEnrolled(judged), ',
      },
      { file: 'lib/core/dispatch-gates.ts', find: 'when(wasEnrolled(judged), ', replace: 'when(judged === null, ' },
    ],
  },
  one(
    'trust not asked',
    'nothing starts untrusted: labelled and last edited by somebody with write access',
    'lib/core/closer-look.ts',
    'return no(rulingOfRow(trust.row), ',
    `if (ready !== null)
        return { ruling: 'dispatch', act: { id: ready.id, by: 'nobody', at: ready.at }, detail: 'labelled' };
      return no(rulingOfRow(trust.row), `,
  ),
  one(
    'the text read at dispatch, not the one that was trusted',
    'the agent is given the frozen text: what was judged is what is sent',
    obey,
    'const text = await tick.ports.store.textOf(run.id);',
    `const issue = { repo: run.repo, number: run.issue.number, nodeId: run.issue.nodeId };
    const text = await tick.ports.tracker.detail(issue, settingsFor(tick.settings, run.repo.name).labels.ready);`,
  ),
  one(
    'hold label ignored in a run',
    'a person who holds an issue cancels its run',
    situation,
    'if (issue.hasHold && isPerson(issue.holdBy))',
    'if (issue.hasHold && issue.open && issue.readyOffBy !== null && isPerson(issue.holdBy))',
  ),
  one(
    'a 404 believed at once',
    'an issue that cannot be found may be out of sight for a moment',
    deadlines,
    'goneMs: minutes(10)',
    'goneMs: 0',
  ),
  one(
    'an issue closed too early stays closed',
    'closed only with proof',
    'lib/core/step.ts',
    '? { ...run, reopened: true }',
    '? { ...run }',
  ),
  one(
    'breaker never opens',
    'an executor that starts nothing is given nothing for half an hour',
    finish,
    'openUntil: streak >= 2 ?',
    'openUntil: streak >= 2000 ?',
  ),
  one(
    'T3’s completed taken as success',
    'done only on proof in the world: a turn’s end proves nothing',
    situation,
    `if (agent.state.is !== 'over') return { name: 'at work', why: agent.state.is };`,
    `if (agent.state.is !== 'over') return { name: 'at work', why: agent.state.is };
  if (agent.state.how === 'completed') return { name: 'landed', why: 'completed' };`,
  ),
  one(
    'trailer not demanded',
    'this run’s commits are those that name it',
    'lib/core/push-tip.ts',
    'sha === merged || carriesTrailer(message, runId)',
    'sha === merged || message !== runId',
  ),
  one(
    'proof taken from the wrong commit',
    'CI is asked about the push that carries the run’s commit',
    'lib/shell/look.ts',
    'const proof = await ciOf(tip);',
    'const proof = await ciOf(run.base);',
  ),
  one(
    'CI’s answer taken before its last check ended',
    'green means all of it',
    deadlines,
    'ciSettlesMs: 60_000',
    'ciSettlesMs: -Infinity',
  ),
  one(
    'stale lease never expires',
    'every wait has an end: a dispatch that died holds up none',
    lease,
    'if (leftOf(held.item.until, tick.now(), deadlines.leaseMs) > 0) return null;',
    'if (held.rev > 0) return null;',
  ),
  one(
    'claims and notices without the lease',
    'caps are never exceeded and nobody is told twice, however many poll at once',
    lease,
    'return lease === null ? null :',
    'return lease === null ? work() :',
  ),
  one(
    'open runs not counted again at the claim',
    'caps are never exceeded',
    claim,
    'if (openRuns >= tick.settings.maxOpenRuns) return',
    'if (openRuns > tick.settings.maxOpenRuns + 100) return',
  ),
  {
    name: 'the day’s runs not counted',
    promise: 'caps are never exceeded',
    edits: [
      {
        file: claim,
        find: `(await store.countRun(dateOf(now), tick.settings.maxRunsPerDay)) === 'full'`,
        replace: `(await store.countRun(dateOf(now), 1_000_000)) === 'full'`,
      },
      {
        file: 'lib/core/dispatch-gates.ts',
        find: 'if (runsToday >= maxRunsPerDay) return',
        replace: 'if (runsToday >= maxRunsPerDay + 1000) return',
      },
    ],
  },
  one(
    'money never runs out',
    'money is bounded: per run and per day',
    'lib/core/budget.ts',
    'usdOf(tokensOf(run, isOut, clock), settings) >= settings.budgetUsd',
    'usdOf(tokensOf(run, isOut, clock), settings) === Infinity',
  ),
  one(
    'nudged without end',
    'every run ends',
    'lib/core/step.ts',
    'nudge: run.nudges < settings.nudgesMax',
    'nudge: run.nudges < Infinity',
  ),
  one(
    'a command taken over from whoever is at it',
    'an owed command is its invocation’s for 90 s',
    'lib/shell/watch.ts',
    '!isAnothers(tick, { by: command.by, at: command.recordedAt })',
    'command.by !== null',
  ),
  one(
    'stopped without an interrupt first',
    'interrupt before stop: a bare stop of a silent agent wedges T3',
    'lib/core/leave.ts',
    `if (leaving.interrupts === 0) return { order: 'interrupt', afterMs: settleMs };
  if (!isInVain(leaving, clock)) return { order: 'interrupt', afterMs: repeatMs };`,
    '',
  ),
  one(
    'in-progress labels never swept',
    'an in-progress label without a run is gone within an hour and a half',
    'lib/shell/sweep.ts',
    'await sweepLabels(tick, repos, items);',
    '',
  ),
  one(
    'a turn sent into a deleted project',
    'never a deleted project: a turn there runs in T3’s own directory',
    obey,
    'return look.projects.some((project) => project.id === thread.projectId)',
    'return look.projects.length >= 0',
  ),
  one(
    'one run’s failure ends the tick',
    'poison stays local',
    'lib/shell/watch.ts',
    'fail(tick.report, name(one), error);',
    'throw error;',
  ),
  one(
    'closed without asking the brake',
    'nothing is closed disarmed: the kill switch is read right before the act',
    'lib/shell/owed.ts',
    `const brake = due.state === 'closed' ? await brakeOn(tick, run.repo.name, false) : null;`,
    'const brake = due.state === null ? await brakeOn(tick, run.repo.name, false) : null;',
  ),
  one(
    'an answer without asking the brake',
    'nothing is said to an agent disarmed',
    obey,
    `const brake = await brakeOn(tick, run.repo.name, false);
  if (brake !== null) return { braked: brake };
  await executor.answer(`,
    'await executor.answer(',
  ),
  one(
    'deployment not waited for',
    'done only once it is deployed, where environments are named',
    'lib/core/facts.ts',
    `    case 'green':
      return deployed(issue.proof, ageMs, settings);`,
    `    case 'green':
      return { state: 'proven', deployed: true };`,
  ),
  one(
    'ready label taken off in a run is ignored',
    'a person who takes the ready label off cancels the run',
    'lib/shell/look.ts',
    `hasReady: has(settings.labels.ready) || kindOf(settings.labels.ready) !== 'unlabeled',`,
    'hasReady: true,',
  ),
  one(
    'a clock put right gives nothing back',
    'no deadline comes later by a clock that was wrong',
    'lib/core/lost-time.ts',
    'sinceMs < 0 || ',
    '',
  ),
  one(
    'how a label was put on is not asked',
    'what cannot be told of a labelling is not trusted',
    'lib/core/trust.ts',
    'if (detail.labelling === null)',
    'if (detail.labelling === undefined)',
  ),
  one(
    'checks from before the push prove it',
    'CI green on the push, and not on the same commit elsewhere',
    'lib/core/ci-verdict.ts',
    'startedAt !== null && pushedAt !== null && startedAt < pushedAt - stampsApartMs;',
    'startedAt === pushedAt && startedAt !== null && startedAt < 0;',
  ),
  one(
    'proof of an older push',
    'CI of one push of the run proves no later one',
    'lib/shell/look.ts',
    'const isKept = push !== null && (searched === null || searched.tip === push.origin);',
    'const isKept = push !== null;',
  ),
  one(
    'token guess 0',
    'what nobody tells is counted pessimistically: silence is no way round a cap',
    'lib/core/budget.ts',
    'export const unknownTokensPerMinute = 15_000;',
    'export const unknownTokensPerMinute = 0;',
  ),
  one(
    'burnt id asked again',
    'a refused id is burnt: what was not made is asked for under the next one',
    obey,
    `for (const attempt of [0, 1]) {
    if ((await act(attempt)) === 'accepted') return true;`,
    `for (const _ of [0, 1]) {
    if ((await act(0)) === 'accepted') return true;`,
  ),
  one(
    'brake before openings only',
    'nothing starts disarmed: the kill switch is read right before every turn',
    obey,
    `const brake = await brakeOn(tick, run.repo.name, turn.kind === 'opening');`,
    `const brake = turn.kind === 'opening' ? await brakeOn(tick, run.repo.name, true) : null;`,
  ),
  one(
    'nobody told of a stuck agent',
    'an agent that is not seen to leave is told of, by every doorbell',
    leaving,
    'stuckRings[name] !== true)',
    'stuckRings[name] === false)',
  ),
];
