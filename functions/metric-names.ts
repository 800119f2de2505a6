/**
 * Every metric a tick emits, by what it counts; the alarms and the dashboard take the names from here. All stand
 * per function (dimension `service`: `poller` or `watcher`); `RunsEnded` has the further dimension `outcome`, whose five
 * values are those of a run. What a tick did not look at it says nothing of: no zero hides what the other function sees.
 */
export const metricNames = {
  /** 1 for every tick the gate let through. */
  tickRan: 'TickRan',
  /** 1 for every tick that found itself off, by an operator or because nothing could be read. */
  tickDisarmed: 'TickDisarmed',
  /** 1 where the control parameters could not be read or understood, else 0. Off, and not because somebody wanted it. */
  controlUnreadable: 'ControlUnreadable',
  /** Length of a tick, milliseconds. */
  tickMs: 'TickMs',
  /** Poller: turns that opened a run. */
  runsDispatched: 'RunsDispatched',
  /** Poller: issues that could start now, as far as the cheap gates tell, or wait only for a repo, a cap or a turn. */
  workWaiting: 'WorkWaiting',
  /** Both: runs that hold a repo's lock. */
  openRuns: 'OpenRuns',
  /** Watcher: ends by dimension `outcome`. */
  runsEnded: 'RunsEnded',
  /** Watcher: runs given to a person, escalated or frozen. */
  handedBack: 'HandedBack',
  /** Runs in which something failed that stopped neither the tick nor the others, the owed among them. */
  runsFailed: 'RunsFailed',
  /** Watcher: runs whose agent was not seen to leave in time; their repos are locked until it is. */
  endingStuck: 'EndingStuck',
  /** Both: 1 where T3 gave no answer, or refused us, in this tick, else 0; absent where nothing was asked of it. */
  executorUnreachable: 'ExecutorUnreachable',
  /** Watcher: 1 where T3 answers and starts no turn any more, else 0; absent where no run is open to look at it for. */
  executorWedged: 'ExecutorWedged',
  /**
   * Both: 1 where GitHub gave no answer, refused us, or may not be asked for its limits, in this tick, else 0; absent
   * where nothing was to be asked of it.
   */
  trackerUnreachable: 'TrackerUnreachable',
  /** Watcher: doorbells that could not be rung in this tick. */
  doorbellUnsent: 'DoorbellUnsent',
  /** What the tick had no time left for. */
  notReached: 'NotReached',
  /** 1 for a dry run or an explanation, which emit none of the others. */
  rehearsed: 'Rehearsed',
  /** How many secrets a tick needed that are not there. */
  secretMissing: 'SecretMissing',
} as const;

/** The namespace of all of them. */
export const metricNamespace = 'AFK';

/** The dimension every metric has, and the only further one, of `RunsEnded`. */
export const metricDimensions = { function: 'service', outcome: 'outcome' } as const;

/** The values of the dimension `service`. */
export const functionNames = { poller: 'poller', watcher: 'watcher' } as const;
export type FunctionName = keyof typeof functionNames;
