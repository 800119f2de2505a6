import { type Issue, type Simulation, simulation } from '../simulation/simulation.ts';

/** One repo for each way a run may go, so that together they leave a record of every kind and phase behind. */
const cast: readonly Issue[] = [
  { repo: 'acme/red', agent: 'lands after a red CI' },
  { repo: 'acme/never', agent: 'never gets green' },
  { repo: 'acme/hangs', agent: 'hangs' },
  { repo: 'acme/missing', agent: 'cannot start' },
  { repo: 'acme/asks', agent: 'asks again and again' },
  { repo: 'acme/parks', agent: 'meets a failing provider' },
  { repo: 'acme/stops', agent: 'stops without pushing' },
  { repo: 'acme/slow', agent: 'takes its time' },
  { repo: 'acme/called-off', agent: 'takes its time' },
  { repo: 'acme/missing-too', agent: 'cannot start' },
  { repo: 'acme/refused', agent: 'lands at once', author: 'stranger', labelled: 'form' },
  { repo: 'acme/held', agent: 'lands at once', labelled: false },
];

/** The world in which the records were frozen. Ids may differ from version to version, names do not. */
export const recordsWorld = (): Simulation => simulation(cast);
