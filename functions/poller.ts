import { scheduled } from './scheduled.ts';

/** Starts runs: rules on what waits, claims, dispatches. Invoked once a minute. */
export const handler = scheduled('poller');
