import { type AgentName, agentNames } from '../../lib/sandbox/agents.ts';
import { type Fate, runToRest, type Simulation, simulation, standing } from './simulation.ts';

const repo = 'acme/web';

/** How an issue must end with each of the sandbox's agents, however often the process dies. */
const ends: Readonly<Record<AgentName, 'done' | 'handed back'>> = {
  'lands at once': 'done',
  'lands after a red CI': 'done',
  'never gets green': 'handed back',
  'stops without pushing': 'handed back',
  crashes: 'handed back',
  'cannot start': 'handed back',
  hangs: 'handed back',
  'closes the issue by keyword and turns out red': 'done',
  'pushes a merge commit on top': 'done',
  'asks a question and takes the answer': 'done',
  'asks again and again': 'handed back',
  'needs a nudge': 'done',
  'meets a failing provider': 'done',
  'never meets its provider': 'handed back',
  'spends too much': 'handed back',
  'stays alive after green': 'done',
  'takes its time': 'done',
  'opens a pull request that is merged': 'done',
  'opens a pull request whose checks are red first': 'done',
  'opens a pull request that nobody merges': 'handed back',
  'opens a pull request that a person closes': 'handed back',
};

/** Five agents whose ways through the two ticks differ most: killed at each port call by every test run. */
export const plainScenes: readonly AgentName[] = [
  'lands at once',
  'lands after a red CI',
  'closes the issue by keyword and turns out red',
  'stops without pushing',
  'cannot start',
];

/** The situations that ask the agent for more than a turn: likewise. */
export const deepScenes: readonly AgentName[] = [
  'asks a question and takes the answer',
  'asks again and again',
  'needs a nudge',
  'meets a failing provider',
];

/** All the others: killed here and there by every test run, and at each port call by `npm run sim -- --crashes`. */
export const otherScenes: readonly AgentName[] = agentNames.filter(
  (agent) => !plainScenes.includes(agent) && !deepScenes.includes(agent),
);

/** Scenes that are killed right before each port call too: nothing happens between two calls, so one of them is enough. */
export const beforeToo: readonly AgentName[] = plainScenes.slice(0, 1);

const scene = (agent: AgentName): Simulation =>
  simulation(
    [{ repo, agent }],
    agent.startsWith('opens a pull request') ? { repos: { [repo]: { landing: 'pull-request' } } } : {},
  );

/** People have eight hours for a pull request. */
const maxMinutes = 900;

/** How many port calls a scene takes to its rest; each is a moment at which it may die. */
export const callsOf = async (agent: AgentName): Promise<number> => {
  const whole = scene(agent);
  const wrong = await runToRest(whole, { maxMinutes });
  if (wrong.length > 0) throw new Error(wrong.join('; '));
  return whole.calls();
};

/** The process dies at that call of the scene, and another goes on: what is wrong at the end, in words. */
export const dyingAt = async (
  agent: AgentName,
  call: number,
  when: 'die before' | 'die after' = 'die after',
): Promise<readonly string[]> => {
  const sim = scene(agent);
  const fate: Fate = ({ number }) => (number === call ? when : 'live');
  const wrong = [...(await runToRest(sim, { fate, maxMinutes }))];
  const stands = standing(sim, repo, 1);
  if (stands !== ends[agent]) wrong.push(`it is ${stands}, and ought to be ${ends[agent]}`);
  if (sim.rung.length === 0) wrong.push('no doorbell rang');
  if (sim.world.t3.liveAgents().some(({ busy }) => busy)) wrong.push('an agent is still at work');
  return wrong.map((what) => `${when} call ${call}, an agent that ${agent}: ${what}`);
};
