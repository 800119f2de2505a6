import type { AgentAct, AgentScript, AgentTurn } from '../../lib/sandbox/t3-agent-script.ts';
import { type Scene, scenes } from '../sandbox/t3-scenes.ts';
import type { Simulation } from './simulation.ts';

/** What an agent does with each turn. */
export type Script = (turn: AgentTurn) => AgentScript;

/**
 * How the world makes runs go as a recording shows it. `agents` are one per repo, `acme/a`, `acme/b` and so on, each with
 * one issue; `late` says in which minute, or from when on, one that does not wait from the beginning is labelled. `begin`
 * sets up what is not a matter of minutes; `each` is what other people do before the ticks of a minute. `shows` tells which repo's thread
 * goes as which recorded thread; where it says nothing, that of the first repo as all of them.
 */
export type Play = {
  readonly recordings: readonly string[];
  /** What the recording alone does not say, in words for the page. */
  readonly how: string;
  readonly agents: readonly Script[];
  readonly late?: Readonly<Record<string, number | ((sim: Simulation) => boolean)>>;
  readonly settings?: Record<string, unknown>;
  readonly begin?: (sim: Simulation) => void;
  readonly each?: (sim: Simulation, minute: number) => void;
  readonly shows?: Readonly<Record<string, string>>;
};

const minuteMs = 60_000;
const first = 'acme/a';
const run = (n: number): string => `run-acme__widgets-${n}-1`;

/** The scripts of a recording's scene, by turn, with the times of a real run; the last one again and again. */
const recorded = (name: string, thread?: string): Script => {
  const scene: Scene | { outOfScope: string } | undefined = scenes[name];
  if (scene === undefined || 'outOfScope' in scene) throw new Error(`${name} has no scene`);
  const agents = scene.agents ?? {};
  const scripts = thread === undefined ? Object.values(agents)[0] : agents[thread];
  if (scripts === undefined) throw new Error(`${name} has no agent`);
  return (turn) => slowed(scripts[turn.turnNumber - 1] ?? scripts.at(-1)!);
};

// The waits between the recorded states are much shorter than in real runs.
const slowness = 60;
const slowed = (script: AgentScript): AgentScript =>
  script.starts === 'ok' ? { ...script, acts: script.acts.map(slowedAct) } : script;
const slowedAct = (act: AgentAct): AgentAct => {
  const slow = { ...act, afterMs: act.afterMs * slowness };
  if (slow.does === 'end' && slow.how === 'background')
    return { ...slow, backgroundMs: slow.backgroundMs * slowness, afterEnd: slow.afterEnd.map(slowedAct) };
  if ((slow.does === 'ask' || slow.does === 'approve') && slow.onAnswer !== undefined)
    return { ...slow, onAnswer: slow.onAnswer.map(slowedAct) };
  return slow;
};

/** A turn a person sends does not name the run; the agent knows it from the conversation, as the thread's id does. */
const push = ({ threadId }: AgentTurn): AgentAct => ({
  afterMs: 1000,
  does: 'world',
  act: { push: [`fix: mend it\n\nRefs #1\n\nAFK-Run: ${threadId.slice(-32)}\nAFK-Phase: green`], ci: 'green' },
});
const lands: Script = (turn) => ({
  starts: 'ok',
  acts: [
    { afterMs: minuteMs, does: 'tool', detail: 'Bash: npm test' },
    push(turn),
    { afterMs: minuteMs, does: 'end', how: 'completed', text: 'Pushed the fix.' },
  ],
});
/** Goes about it as that script, and pushes before it ends a turn from `turnNumber` on. */
const pushing =
  (script: Script, turnNumber = 1): Script =>
  (turn) => {
    const follows = script(turn);
    if (follows.starts !== 'ok' || turn.turnNumber < turnNumber) return follows;
    return { ...follows, acts: follows.acts.flatMap((act) => (act.does === 'end' ? [push(turn), act] : [act])) };
  };
/** The first turn as one script has it, every later one as another. */
const then =
  (script: Script, later: Script): Script =>
  (turn) =>
    (turn.turnNumber === 1 ? script : later)(turn);
/** Its first turn did something, so that its end is no provider's failure. */
const busy =
  (script: Script): Script =>
  (turn) => {
    const follows = script(turn);
    const tool: AgentAct = { afterMs: 1000, does: 'tool', detail: 'Bash: npm test' };
    return follows.starts === 'ok' ? { ...follows, acts: [tool, ...follows.acts] } : follows;
  };
/** The same, five minutes later. */
const takingTime =
  (script: Script): Script =>
  (turn) => {
    const follows = script(turn);
    const wait: AgentAct = { afterMs: 5 * minuteMs, does: 'tool', detail: 'Bash: npm ci' };
    return follows.starts === 'ok' ? { ...follows, acts: [wait, ...follows.acts] } : follows;
  };
const hangs: Script = () => ({ starts: 'ok', acts: [{ afterMs: 1000, does: 'tool', detail: 'Bash: npm run dev' }] });

const findThread = ({ world }: Simulation, repo: string) =>
  world.t3.threads().find(({ title }) => title.startsWith(`${repo}#1: `));
const threadIn = (sim: Simulation, repo = first) => {
  const thread = findThread(sim, repo);
  if (thread === undefined) throw new Error(`${repo} has no thread yet`);
  return thread;
};
/** From so many minutes on after the first repo's agent was interrupted. */
const interruptedFor =
  (ms: number) =>
  (sim: Simulation): boolean => {
    const turn = findThread(sim, first)?.latestTurn;
    return turn?.state === 'interrupted' && sim.now() - turn.completedAt! > ms;
  };
/** A person kills it on the host, so many minutes after it was interrupted. */
const killedAfter =
  (minutes: number): NonNullable<Play['each']> =>
  (sim) => {
    if (interruptedFor(minutes * minuteMs)(sim)) sim.world.t3.killAgent(threadIn(sim).id, sim.now());
  };
let drawn = 0;
/** A person at T3's own window. */
const person = (sim: Simulation, type: string, fields: Record<string, unknown> = {}): void => {
  const createdAt = new Date(sim.now()).toISOString();
  const command = { type, commandId: `person-${drawn++}`, threadId: threadIn(sim).id, createdAt, ...fields };
  // A moment after whatever was before, as every two commands of two people are.
  sim.pass(10);
  sim.world.t3.dispatch(command, sim.now());
};
const personSends = (sim: Simulation): void =>
  person(sim, 'thread.turn.start', {
    message: { messageId: `person-message-${drawn++}`, role: 'user', text: 'Also rename the button.', attachments: [] },
    runtimeMode: 'full-access',
    interactionMode: 'default',
  });
const inMinute =
  (minute: number, act: (sim: Simulation) => void): NonNullable<Play['each']> =>
  (sim, now) => {
    if (now === minute) act(sim);
  };
const restarts = (sim: Simulation): void => sim.world.t3.restart(sim.now());
/** T3 restarts 30 ms after it accepted the turn of that repo: the agent was just being looked at. */
const restartsAtTurnOf =
  (repo: string): NonNullable<Play['begin']> =>
  (sim) => {
    let isDone = false;
    sim.intercept(async ({ port, method, args }, pass) => {
      const answer = await pass();
      if (isDone || port !== 'executor' || method !== 'startTurn') return answer;
      const threadId = findThread(sim, repo)?.id;
      if (threadId !== undefined && JSON.stringify(args).includes(threadId)) {
        isDone = true;
        sim.pass(30);
        restarts(sim);
      }
      return answer;
    });
  };

const one = (recording: string, how: string, script: Script, rest: Partial<Play> = {}): Play => ({
  recordings: [recording],
  how,
  agents: [script],
  ...rest,
});
const again = 'every turn as recorded';

/** Every recorded course, and how it is played. */
export const plays: readonly Play[] = [
  one('timeline-success', 'it pushes before it ends', pushing(recorded('timeline-success'))),
  one('timeline-success', 'it never pushes', recorded('timeline-success')),
  one('timeline-agent-error', again, recorded('timeline-agent-error')),
  one('timeline-budget-exceeded', again, recorded('timeline-budget-exceeded')),
  one('timeline-agent-crash', again, recorded('timeline-agent-crash')),
  one('timeline-agent-exit-zero', 'the next turn lands', then(busy(recorded('timeline-agent-exit-zero')), lands)),
  one('timeline-agent-exit-zero', again, recorded('timeline-agent-exit-zero')),
  one(
    'timeline-api-error-reads-completed',
    'the provider is back at the next turn',
    then(recorded('timeline-api-error-reads-completed'), lands),
  ),
  one('timeline-api-error-reads-completed', again, recorded('timeline-api-error-reads-completed')),
  one('timeline-provider-missing-binary', again, recorded('timeline-provider-missing-binary')),
  one('timeline-unknown-provider-instance', again, lands, {
    settings: {
      defaults: {
        model: 'a-model',
        workspaceRoot: '/srv/checkouts/{owner}__{name}',
        agentLogins: ['agent-bot'],
        providerInstance: 'claude_elsewhere',
      },
    },
  }),
  one('timeline-background-work', 'it pushes in the turn that follows by itself', (turn) => {
    const script = recorded('timeline-background-work')(turn);
    if (script.starts !== 'ok') return script;
    const acts = script.acts.map((act) =>
      act.does === 'end' && act.how === 'background' ? { ...act, afterEnd: [push(turn), ...act.afterEnd] } : act,
    );
    return { ...script, acts };
  }),
  {
    recordings: ['timeline-question-in-full-access', 'user-input-respond'],
    how: 'answered, it pushes and ends',
    agents: [
      (turn) => {
        const script = recorded('timeline-question-in-full-access')(turn);
        if (script.starts !== 'ok') return script;
        const acts = script.acts.map((act) =>
          act.does === 'ask' ? { ...act, onAnswer: [push(turn), ...(act.onAnswer ?? [])] } : act,
        );
        return { ...script, acts };
      },
    ],
  },
  {
    recordings: ['timeline-approval-pending', 'approval-respond'],
    how: 'declined, it ends without a push; nudged, it lands',
    agents: [then(busy(recorded('timeline-approval-pending')), lands)],
  },
  one(
    'timeline-interrupt',
    'a person interrupts it; nudged, it lands',
    then(busy(recorded('timeline-interrupt')), lands),
    { each: inMinute(3, (sim) => person(sim, 'thread.turn.interrupt')) },
  ),
  one(
    'timeline-session-stop',
    'a person stops it; nudged, it lands in a new process',
    then(busy(recorded('timeline-session-stop')), lands),
    { each: inMinute(3, (sim) => person(sim, 'thread.session.stop')) },
  ),
  one(
    'turn-second-after-completed',
    'the second turn is our nudge, and lands',
    pushing(busy(recorded('turn-second-after-completed')), 2),
  ),
  one(
    'turn-second-after-crash',
    'a person sends the second turn before we look, and it lands',
    pushing(recorded('turn-second-after-crash'), 2),
    {
      each: (sim) => {
        const [thread] = sim.world.t3.threads();
        const isCrashed = thread?.latestTurn?.state === 'error';
        if (isCrashed && sim.world.t3.messagesOf(thread.id).filter(({ role }) => role === 'user').length === 1) {
          personSends(sim);
          sim.pass(1000);
        }
      },
    },
  ),
  one(
    'turn-second-after-session-stop',
    'it hangs; stopped by us, the second turn lands',
    then(hangs, pushing(recorded('turn-second-after-session-stop'))),
  ),
  one(
    'turn-second-cannot-start',
    'our nudge cannot start, nor can the turn after it',
    busy(recorded('turn-second-cannot-start')),
  ),
  one(
    'turn-sent-while-running',
    'a person sends it; the turn of its own that it becomes lands',
    pushing(busy(recorded('turn-sent-while-running')), 2),
    { each: inMinute(2, personSends) },
  ),
  one(
    'turn-sent-while-running-absorbed',
    'a person sends it; everything is pushed in the running turn',
    pushing(recorded('turn-sent-while-running-absorbed')),
    { each: inMinute(2, personSends) },
  ),
  one(
    'turn-sent-while-running-absorbed',
    'a person sends it, nothing is pushed; the turn after it lands',
    then(recorded('turn-sent-while-running-absorbed'), lands),
    { each: inMinute(2, personSends) },
  ),
  one(
    'turn-start-archived-no-effect',
    'a person archives the thread in the moment of our nudge',
    busy(recorded('turn-second-after-completed')),
    {
      begin: (sim) => {
        let turns = 0;
        sim.intercept(async ({ port, method }, pass) => {
          if (port === 'executor' && method === 'startTurn' && ++turns === 2) person(sim, 'thread.archive');
          return pass();
        });
      },
    },
  ),
  {
    recordings: ['shell-after-server-restart', 'zombie-run-interrupt'],
    how: 'T3 restarts in mid-turn; the turn after it lands',
    agents: [then(recorded('shell-after-server-restart'), lands)],
    each: inMinute(5, restarts),
    shows: { [run(71)]: first, [run(88)]: first },
  },
  {
    recordings: ['shell-after-server-restart', 'lost-turn-resent-same-command-id'],
    how: 'T3 restarts 30 ms after it accepted the turn; a turn under new ids lands',
    agents: [then(hangs, lands), lands],
    late: { 'acme/b': 3 },
    begin: restartsAtTurnOf('acme/b'),
    shows: { [run(71)]: first, [run(72)]: 'acme/b' },
  },
  one(
    'zombie-run-session-stop',
    'a person stops what a restart left behind; nudged, it lands',
    then(busy(recorded('zombie-run-session-stop')), lands),
    {
      each: (sim, minute) => {
        if (minute === 5) restarts(sim);
        if (minute === 6) person(sim, 'thread.session.stop');
      },
    },
  ),
  one(
    'zombie-run-turn-start',
    'a person sends a turn to what a restart left behind, and it lands',
    pushing(recorded('zombie-run-turn-start'), 2),
    {
      each: (sim, minute) => {
        if (minute === 5) restarts(sim);
        if (minute === 6) personSends(sim);
      },
    },
  ),
  {
    recordings: ['interrupt-unresponsive-agent-wedges'],
    how: 'stalled; killed on the host two minutes after our interrupt, while another repo’s turn waits behind it',
    agents: [then(recorded('interrupt-unresponsive-agent-wedges', run(92)), lands), lands],
    late: { 'acme/b': 27 },
    each: killedAfter(2),
    shows: { [run(92)]: first, [run(93)]: 'acme/b' },
  },
  one('thread-archive-while-running', 'a person archives it', recorded('thread-archive-while-running'), {
    each: inMinute(4, (sim) => person(sim, 'thread.archive')),
  }),
  one('thread-settle-refused', 'a person settles it in mid-turn', takingTime(lands), {
    each: inMinute(3, (sim) => person(sim, 'thread.settle')),
  }),
  one(
    'thread-settle',
    'a person settles it after its turn; nudged, it lands',
    then(busy(recorded('turn-second-after-completed')), lands),
    { each: inMinute(2, (sim) => person(sim, 'thread.settle')) },
  ),
];

/** What was not recorded as a course, but is known of T3 and told to the stand-in. */
export const troubles: readonly Play[] = [
  {
    recordings: [],
    how: 'a silent agent wedges the server, and is killed on the host twenty minutes later; two turns wait behind it, a third is not sent',
    agents: [recorded('interrupt-unresponsive-agent-wedges', run(92)), lands, lands, lands],
    late: { 'acme/b': interruptedFor(0), 'acme/c': interruptedFor(0), 'acme/d': interruptedFor(2 * minuteMs) },
    each: killedAfter(20),
  },
  {
    recordings: [],
    how: 'a person deletes the thread in mid-turn, and takes both labels off when told that the agent cannot be seen',
    agents: [hangs],
    each: (sim, minute) => {
      if (minute === 4) person(sim, 'thread.delete');
      // A deleted thread's agent goes on: that person ends it on the host too.
      if (minute !== 12) return;
      sim.world.t3.killAgent(threadIn(sim).id, sim.now());
      for (const label of ['ready-for-agent', 'agent-in-progress'])
        sim.world.github.unlabel(first, 1, label, 'maintainer', sim.now());
    },
  },
];
