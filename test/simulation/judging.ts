import { type Acting, acting, placesOf } from './histories/acts.ts';
import { notAtRest, watching } from './histories/invariants.ts';
import { breaches, type Call, type Intercept, type Simulation } from './simulation.ts';

/** `truthIsFresh` as the histories mean it; where nobody acts but the agents, no answer is ever left behind. */
type Judged = { truthIsFresh?: () => boolean; maxOpenRuns?: number; around?: Intercept };

/**
 * A scene without a history, judged as the histories are: call by call, after each invocation, and at rest. Nothing
 * fails here but processes that die. Takes the scene's intercept; `around` is the scene's own.
 */
export const judging = (sim: Simulation, { truthIsFresh = () => true, maxOpenRuns = 20, around }: Judged = {}) => {
  const places = placesOf(sim);
  const people: Acting = acting(sim, places, new Map(sim.parameters));
  const watcher = watching({
    sim,
    truthIsFresh,
    controlIsFresh: () => true,
    executorIsFresh: () => true,
    maxOpenRuns,
    maxRunsPerDay: 20,
    budgetUsdPerDay: 100,
    usdPerMillionTokens: 5,
    isNoCiAccepted: false,
    environments: [],
  });
  const rings = ringing(sim);
  sim.intercept(
    watcher.intercept((call, pass) => {
      rings.before(call);
      return around === undefined ? pass() : around(call, pass);
    }),
  );
  return {
    people,
    /** After each invocation: what does not hold, in words. */
    breaches: (): readonly string[] => [...breaches(sim), ...watcher.breaches(), ...rings.breaches()],
    /** What does not hold at rest; `rulings` of the last poll where an issue still waits. */
    notAtRest: (rulings: ReadonlyMap<string, string> = new Map()): readonly string[] =>
      notAtRest(sim, people, places, rulings),
  };
};

/** At least once, and once more only for a death: whoever rang may have died before it was noted. */
const ringing = (sim: Simulation) => {
  const deathsAt = new Map<string, number>();
  const wrong: string[] = [];
  const before = ({ port, name, args }: Call): void => {
    if (port !== 'doorbell') return;
    const { id, headline } = args[0] as { id: string; headline: string };
    const key = `${name} ${id}`;
    if (deathsAt.get(key) === sim.deaths()) wrong.push(`${name} rang twice, and nobody died between: ${headline}`);
    deathsAt.set(key, sim.deaths());
  };
  return { before, breaches: () => wrong.splice(0) };
};
