import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

/** What an invocation came to; an error as the runtime client reports it. */
export type Outcome =
  | { ok: true; result: unknown }
  | { ok: false; errorType: string; errorMessage: string; trace: readonly string[] };

/** `aheadMs`: how far the function's clock is ahead of real time. */
export type Invoke = { aheadMs?: number; timeoutMs?: number };

export type LambdaHost = {
  invoke: (event: unknown, options?: Invoke) => Promise<Outcome>;
  /** Everything the function wrote so far, all its processes together. */
  log: () => string;
  /** How many processes were started: a warm one serves again and again. */
  starts: () => number;
  /** The process that runs now. */
  pid: () => number | undefined;
  close: () => Promise<void>;
};

const transport = fileURLToPath(new URL('./ric-transport.mjs', import.meta.url));
const client = fileURLToPath(new URL('../../node_modules/aws-lambda-ric/index.mjs', import.meta.url));

/**
 * Runs a bundle as Lambda would: the official runtime client in a process of its own, against a Runtime API on
 * loopback. One invocation at a time. A process that outlives its deadline is killed, and the next invocation starts
 * another; so does one after a process that ended by itself.
 */
export const lambdaHost = async (folder: string, env: Readonly<Record<string, string>>): Promise<LambdaHost> => {
  let child: ChildProcess | null = null;
  let log = '';
  let starts = 0;
  let drawn = 0;
  /** The runtime client waits for work. */
  let waiting: ServerResponse | null = null;
  let current: {
    id: string;
    headers: Record<string, string>;
    body: string;
    settle: (outcome: Outcome) => void;
  } | null = null;
  let isHandedOver = false;

  const handOver = (): void => {
    if (waiting === null || current === null || isHandedOver) return;
    isHandedOver = true;
    waiting.writeHead(200, { 'content-type': 'application/json', ...current.headers }).end(current.body);
    waiting = null;
  };
  const settle = (outcome: Outcome): void => {
    const settled = current;
    current = null;
    isHandedOver = false;
    settled?.settle(outcome);
  };

  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (path.endsWith('/invocation/next')) {
      waiting = response;
      handOver();
      return;
    }
    const body = await textOf(request);
    response.writeHead(202).end();
    if (path.endsWith('/init/error')) settle(failureOf(body));
    else if (current !== null && path.endsWith(`/${current.id}/response`))
      settle({ ok: true, result: JSON.parse(body) });
    else if (current !== null && path.endsWith(`/${current.id}/error`)) settle(failureOf(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const start = (): void => {
    starts += 1;
    waiting = null;
    const started = spawn(process.execPath, ['--import', transport, '--enable-source-maps', client], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        _HANDLER: 'index.handler',
        LAMBDA_TASK_ROOT: folder,
        AWS_LAMBDA_FUNCTION_NAME: 'a-function',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_LAMBDA_LOG_GROUP_NAME: 'a-group',
        AWS_LAMBDA_LOG_STREAM_NAME: 'a-stream',
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_REGION: 'local',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        ...env,
      },
    });
    child = started;
    const read = (chunk: Buffer): void => {
      log += chunk.toString();
    };
    started.stdout.on('data', read);
    started.stderr.on('data', read);
    started.once('exit', (code, signal) => {
      if (child !== started) return;
      child = null;
      const words = `process ended by itself: ${code ?? signal}`;
      settle({ ok: false, errorType: 'Runtime.ExitError', errorMessage: words, trace: [] });
    });
  };

  const kill = (): void => {
    const killed = child;
    child = null;
    killed?.kill('SIGKILL');
  };

  return {
    invoke: (event, { aheadMs = 0, timeoutMs = 50_000 } = {}) =>
      new Promise((resolve, reject) => {
        if (current !== null) return reject(new Error('one invocation at a time'));
        drawn += 1;
        const id = `00000000-0000-4000-8000-${String(drawn).padStart(12, '0')}`;
        const timer = setTimeout(() => {
          kill();
          const errorMessage = `${id} Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
          settle({ ok: false, errorType: 'Sandbox.Timedout', errorMessage, trace: [] });
        }, timeoutMs);
        const headers = {
          'lambda-runtime-aws-request-id': id,
          'lambda-runtime-deadline-ms': String(Date.now() + aheadMs + timeoutMs),
          'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:local:000000000000:function:a-function',
          'test-ahead-ms': String(aheadMs),
        };
        current = {
          id,
          headers,
          body: JSON.stringify(event),
          settle: (outcome) => {
            clearTimeout(timer);
            resolve(outcome);
          },
        };
        if (child === null) start();
        handOver();
      }),
    log: () => log,
    starts: () => starts,
    pid: () => child?.pid,
    close: async () => {
      kill();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const Failure = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  trace: z.array(z.string()).default([]),
});

const failureOf = (body: string): Outcome => ({ ok: false, ...Failure.parse(JSON.parse(body)) });
