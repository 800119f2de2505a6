import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy, { type MiddyfiedHandler, type MiddyHandlerObject } from '@middy/core';
import type { Context } from 'aws-lambda';
import { ssmClient, ssmGate } from '../lib/adapters/ssm-gate.ts';
import type { Report } from '../lib/shell/tick.ts';
import type { Armed, Invocation } from './armed.ts';
import { countCalls } from './calls.ts';
import { environmentOf } from './environment.ts';
import { inertReport, openedGate } from './gate.ts';
import { type FunctionName, metricDimensions, metricNames, metricNamespace } from './metric-names.ts';
import { type Wanted, wantedOf } from './tick-event.ts';
import { tickMetrics } from './tick-metrics.ts';
import { type Answer, dryRunOf, explainSummaryOf, type Measured, summaryOf } from './tick-summary.ts';

/**
 * A tick as a Lambda handler. The event is parsed, then the gate is read, and everything else is behind one dynamic
 * import after it. The report is logged and returned. Throws where the event is not understood, where infrastructure
 * failed, and where the time is up; settings that cannot be read are off, with a metric of their own. Throws at once
 * where the environment lacks something, by name.
 */
export const scheduled = (name: FunctionName): MiddyfiedHandler<unknown, Answer> => {
  const environment = environmentOf(process.env);
  const logger = new Logger({ serviceName: name });
  const metrics = new Metrics({ namespace: metricNamespace, serviceName: name, logger });
  const parameters = ssmClient();
  const gate = ssmGate({ client: parameters });
  let armed: Promise<Armed> | null = null;
  const load = (): Promise<Armed> => {
    armed ??= import('./armed.ts').then(({ arm }) => arm({ name, environment, parameters }));
    return armed;
  };

  const tick = async (invocation: Invocation, measured: () => Measured): Promise<Answer> => {
    const control = await gate.read();
    const inert = inertReport(tickOf[name], control, invocation.now());
    const { report, facts } =
      inert === null
        ? await (await load()).tick(invocation, openedGate(gate, control))
        : { report: inert, facts: null };
    const { calls, ms } = measured();
    for (const { name: metric, value, unit, outcome } of tickMetrics(report, facts, ms)) {
      const on =
        outcome === undefined ? metrics : metrics.singleMetric().addDimension(metricDimensions.outcome, outcome);
      on.addMetric(metric, unit, value);
    }
    const summary = summaryOf(report, invocation.only, { calls, ms });
    logReport(logger, report);
    logger.info('tick', { ...summary });
    return summary;
  };

  const rehearse = async (
    wanted: Exclude<Wanted, { kind: 'tick' }>,
    invocation: Invocation,
    measured: () => Measured,
  ): Promise<Answer> => {
    metrics.addMetric(metricNames.rehearsed, MetricUnit.Count, 1);
    const control = await gate.read();
    const disarmed = control.state === 'off' ? control.reason : null;
    const { dryTick, explain } = await load();
    if (wanted.kind === 'explain') {
      const explanation = explainSummaryOf(await explain(invocation, wanted, disarmed), measured());
      logger.info('explained', { ...explanation });
      return explanation;
    }
    const { report, would } = await dryTick(invocation);
    const rehearsed = dryRunOf(summaryOf(report, invocation.only, measured()), would, disarmed);
    logger.info('dry run', { ...rehearsed });
    return rehearsed;
  };

  const invoke = async (event: unknown, context: Context, signal: AbortSignal): Promise<Answer> => {
    const wanted = wantedOf(event);
    const by = randomBytes(6).toString('hex');
    logger.appendKeys({ by, ...(wanted.kind === 'tick' && { executionId: wanted.executionId }) });
    const invocation: Invocation = {
      by,
      now: Date.now,
      newRunId: () => randomBytes(16).toString('hex'),
      timeLeftMs: () => context.getRemainingTimeInMillis() - earlyMs,
      signal,
      only: wanted.kind === 'explain' ? null : wanted.only,
    };
    const begun = Date.now();
    const counted = countCalls();
    const measured = (): Measured => ({ calls: counted.stop(), ms: Date.now() - begun });
    try {
      return wanted.kind === 'tick' ? await tick(invocation, measured) : await rehearse(wanted, invocation, measured);
    } finally {
      counted.stop();
    }
  };

  // Two parameters, as middy's own export declares: the runtime takes a third for a callback.
  return middy<unknown, Answer>(
    (event: unknown, context: Context, { signal }: MiddyHandlerObject) => invoke(event, context, signal),
    {
      timeoutEarlyInMillis: earlyMs,
      timeoutEarlyResponse: () => {
        throw new TickTimedOut(`the tick did not end in time and was stopped ${earlyMs} ms before its time-out`);
      },
    },
  )
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics, { captureColdStartMetric: true }));
};

/** Long enough to say so and to write the metrics, before the sandbox is killed without a word. */
const earlyMs = 750;

/** The tick took too long. What it had recorded holds; the next one takes it up. */
export class TickTimedOut extends Error {
  override readonly name = 'TickTimedOut';
}

const tickOf = { poller: 'poll', watcher: 'watch' } as const satisfies Record<FunctionName, Report['tick']>;

/** One line for each thing that happened to a run or failed, so that lines group and can be counted. */
const logReport = (logger: Logger, report: Report): void => {
  if (report.unreadable) logger.error('control unreadable', { reason: report.reason });
  for (const { repo, issue, run, what, why } of report.happened)
    logger.info('run moved', { repo, issue, run, what, why });
  for (const { what, reason } of report.failed) logger.warn('part failed', { what, reason });
};
