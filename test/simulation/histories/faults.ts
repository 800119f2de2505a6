import { parseControl } from '../../../lib/core/control.ts';
import { PortError } from '../../../lib/ports.ts';
import type { Call, Intercept } from '../simulation.ts';
import type { Dice } from './dice.ts';
import type { Fault, PortName } from './history.ts';

/** What is wrong with the calls of this minute. */
export type Weather = {
  down: ReadonlySet<PortName>;
  /** Takes each call and gives no answer within its client's time-out. */
  hanging: ReadonlySet<PortName>;
  isPagerBroken: boolean;
  /** How many of the executor's answers are that it refused the command, for good under that id. */
  burning: number;
  lost: ReadonlyMap<PortName, number>;
  refused: ReadonlyMap<PortName, number>;
  stale: boolean;
  partial: boolean;
  blind: boolean;
  limitedUntil: number | null;
  /** How long each call takes, in ms. */
  slowMs: number;
};

export const clear: Weather = {
  down: new Set(),
  hanging: new Set(),
  isPagerBroken: false,
  burning: 0,
  lost: new Map(),
  refused: new Map(),
  stale: false,
  partial: false,
  blind: false,
  limitedUntil: null,
  slowMs: 0,
};

/** The faults that last, as they stand in a minute. */
export const weatherAt = (faults: readonly Fault[], minute: number, nowMs: number): Weather => {
  const down = new Set<PortName>();
  const hanging = new Set<PortName>();
  const lost = new Map<PortName, number>();
  const refused = new Map<PortName, number>();
  let weather: Weather = { ...clear, down, hanging, lost, refused };
  for (const fault of faults) {
    const endsAt = fault.at + ('minutes' in fault ? fault.minutes : 0);
    if (minute < fault.at || minute >= endsAt) continue;
    if (fault.kind === 'port down') down.add(fault.port);
    if (fault.kind === 'port hangs') hanging.add(fault.port);
    if (fault.kind === 'pager broken') weather = { ...weather, isPagerBroken: true };
    if (fault.kind === 'ids burnt') weather = { ...weather, burning: fault.share };
    if (fault.kind === 'answers lost') lost.set(fault.port, fault.share);
    if (fault.kind === 'calls refused') refused.set(fault.port, fault.share);
    if (fault.kind === 'stale answers') weather = { ...weather, stale: true };
    if (fault.kind === 'partial scan') weather = { ...weather, partial: true };
    if (fault.kind === 'blind') weather = { ...weather, blind: true };
    if (fault.kind === 'slow calls') weather = { ...weather, slowMs: fault.seconds * 1000 };
    if (fault.kind === 'rate limit') weather = { ...weather, limitedUntil: nowMs + (endsAt - minute) * 60_000 };
  }
  return weather;
};

/**
 * Puts the weather between a port and its caller. `met` is told of each fault that was really met. Nothing that is not
 * a read is answered from memory, and a store that is down refuses before anything takes hold.
 */
export const weathering = (
  weather: () => Weather,
  throws: Dice,
  { met, takeTime }: { met: (what: string) => void; takeTime: (ms: number) => void },
): Intercept => {
  const answered = new Map<string, unknown>();
  const burnt = new Set<string>();
  return async (call, pass) => {
    const now = weather();
    const commandId = commandIdIn(call);
    // T3 answers an id once and for all, whatever the weather.
    if (commandId !== null && burnt.has(commandId)) return 'refused';
    if (now === clear) return pass();
    if (now.slowMs > 0) {
      met('slow calls');
      // Half of the time goes by before it takes hold, half before it answers.
      takeTime(now.slowMs / 2);
      const reached = pass;
      pass = async () => {
        const answer = await reached();
        takeTime(now.slowMs / 2);
        return answer;
      };
    }
    const port = portOf(call);
    if (port === null) return pass();
    if (port === 'gate') return throughGate(now, pass, { met, takeTime });
    if (now.hanging.has(port)) {
      met(`${port} hangs`);
      takeTime(timeoutsMs[port]);
      // Half of the calls took hold.
      if (throws.chance(0.5)) await pass();
      throw new PortError('unavailable', `${port} gave no answer in time`);
    }
    if (now.isPagerBroken && call.name === 'pager') {
      met('pager broken');
      throw new PortError('unavailable', 'the pager is broken');
    }
    if (commandId !== null && now.burning > 0 && throws.chance(now.burning)) {
      met('id burnt');
      burnt.add(commandId);
      return 'refused';
    }
    if (now.down.has(port)) {
      met(`${port} down`);
      throw new PortError('unavailable', `${port} is down`);
    }
    const isTracker = port === 'tracker' || port === 'forge';
    if (isTracker && now.limitedUntil !== null) {
      met('rate limit');
      throw new PortError('unavailable', 'a rate limit', { notBefore: now.limitedUntil });
    }
    if (isTracker && now.blind) {
      met('blind');
      return blind(call);
    }
    if (throws.chance(now.refused.get(port) ?? 0)) {
      met(`${port} refuses`);
      throw new PortError('refused', `${port} refuses ${call.method}`);
    }
    const share = now.lost.get(port) ?? 0;
    if (share > 0 && throws.chance(share)) {
      met(`${port} answer lost`);
      // Half of the calls took hold.
      if (throws.chance(0.5)) await pass();
      throw new PortError('unavailable', `${port} gave no answer`);
    }
    const key = `${call.method} ${JSON.stringify(call.args)}`;
    const isList = call.method === 'listReady' || call.method === 'scan';
    if (isList && now.stale && answered.has(key)) {
      met('stale answer');
      return answered.get(key);
    }
    const answer = await pass();
    if (isList && !now.stale) answered.set(key, answer);
    if (call.method === 'scan' && now.partial && Array.isArray(answer)) {
      met('partial scan');
      return answer.filter(() => throws.chance(0.5));
    }
    return answer;
  };
};

/** The command id of what T3 is told to do; null for all else. */
const commandIdIn = ({ port, args: [ask] }: Call): string | null =>
  port === 'executor' && typeof ask === 'object' && ask !== null && 'commandId' in ask ? String(ask.commandId) : null;

/** What the clients of the real ports wait. */
const timeoutsMs: Readonly<Record<PortName, number>> = {
  tracker: 10_000,
  forge: 10_000,
  executor: 10_000,
  store: 2500,
  gate: 2500,
  doorbell: 5000,
};

const portOf = ({ port }: Call): PortName | null => {
  switch (port) {
    case 'tracker':
    case 'forge':
    case 'executor':
    case 'store':
    case 'gate':
    case 'doorbell':
      return port;
    default:
      return null;
  }
};

/** What cannot be read is off; it never throws. */
const throughGate = async (
  now: Weather,
  pass: () => Promise<unknown>,
  { met, takeTime }: { met: (what: string) => void; takeTime: (ms: number) => void },
): Promise<unknown> => {
  const isHanging = now.hanging.has('gate');
  if (!now.down.has('gate') && !now.lost.has('gate') && !isHanging) return pass();
  met(isHanging ? 'gate hangs' : 'gate down');
  if (isHanging) takeTime(timeoutsMs.gate);
  return parseControl(new Map(), 'SSM did not answer in time');
};

/** Everything reads as if it were not there, as for an account without access. */
const blind = ({ method }: Call): unknown => {
  switch (method) {
    case 'scan':
      return [];
    case 'detail':
    case 'watch':
    case 'resolve':
    case 'elsewhere':
    case 'pull':
      return null;
    case 'permission':
      return { level: 'notFound', role: '' };
    case 'blockerStates':
    case 'glance':
      return new Map();
    case 'preflight':
      return ['GitHub shows no such repository to this token'];
    default:
      throw new PortError('refused', `${method}: 404`);
  }
};
