import { type Control, isHaltDue } from '../lib/core/control.ts';
import type { Gate } from '../lib/ports.ts';
import { emptyReport, type Report } from '../lib/shell/tick.ts';

/**
 * What a tick that may do nothing says; null where it has something to do. `noDispatch` stops the poller, which only
 * dispatches; the watcher of a kill switch that was just flipped has what is out to halt. `now` is epoch ms.
 */
export const inertReport = (tick: Report['tick'], control: Control, now: number): Report | null => {
  if (control.state === 'off') {
    const isHalting = tick === 'watch' && control.halt !== null && isHaltDue(control.halt, now);
    const { reason, unreadable } = control;
    return isHalting ? null : { ...emptyReport(tick), state: 'off', reason, unreadable };
  }
  if (tick === 'poll' && control.noDispatch !== null) return { ...emptyReport(tick), reason: control.noDispatch };
  return null;
};

/**
 * The gate for a tick that was opened by a read of its own: that answer is handed on once, so that the tick costs one
 * call and not two; every later read, right before an irreversible act, asks again.
 */
export const openedGate = (gate: Gate, opened: Control): Gate => {
  let first: Control | null = opened;
  return {
    read: async () => {
      if (first === null) return gate.read();
      const control = first;
      first = null;
      return control;
    },
  };
};
