import { scheduled } from './scheduled.ts';

/** Sees open runs through: one look, one decision, one act for each. Invoked once a minute. */
export const handler = scheduled('watcher');
