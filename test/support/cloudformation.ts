import { type ChildProcess, spawn } from 'node:child_process';
import * as z from 'zod';
import type { Template } from '../cdk/synthesis.ts';

const region = 'eu-west-1';

/** An emulator of an AWS account (moto), empty, on a free port of loopback. */
export const emulatedAccount = async () => {
  const server = spawn('moto_server', ['-H', '127.0.0.1', '-p', '0'], {
    // Where the code of a function is kept is not looked at: its bundle is run by us.
    env: { ...process.env, VALIDATE_LAMBDA_S3: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await listening(server);
  const ask = async (service: string, path: string, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: {
        ...init.headers,
        authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} ${path}: ${response.status}: ${text}`);
    return text;
  };
  return {
    /** What a client of the SDK needs for it. */
    aws: { endpoint: url, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } },
    /** Creates a stack, or updates it; resolves once it is complete. */
    deploy: async (action: 'CreateStack' | 'UpdateStack', template: unknown): Promise<void> => {
      const form = { Action: action, Version: '2010-05-15', StackName: 'Afk', TemplateBody: JSON.stringify(template) };
      await ask('cloudformation', '/', { method: 'POST', body: new URLSearchParams(form) });
      const stack = new URLSearchParams({ Action: 'DescribeStacks', Version: '2010-05-15', StackName: 'Afk' });
      const told = await ask('cloudformation', '/', { method: 'POST', body: stack });
      const wanted = action === 'CreateStack' ? 'CREATE_COMPLETE' : 'UPDATE_COMPLETE';
      if (!told.includes(`<StackStatus>${wanted}</StackStatus>`))
        throw new Error(`the stack is not ${wanted}: ${told}`);
    },
    /** The environment a function has. */
    environmentOf: async (name: string): Promise<Record<string, string>> =>
      Configuration.parse(JSON.parse(await ask('lambda', `/2015-03-31/functions/${name}/configuration`))).Environment
        .Variables,
    close: (): void => {
      server.kill('SIGKILL');
    },
  };
};

/**
 * A template as far as the emulator knows its types: the global table as a plain one, what it does not know left out, and
 * named by a text wherever something else refers to it. Also says what was left out, by type.
 */
export const forEmulator = (template: Template): { template: unknown; leftOut: readonly string[] } => {
  const isKnown = ({ Type }: { Type: string }): boolean => !unknown.includes(Type);
  const resources = Object.entries(template.Resources);
  const without = new Map(resources.filter(([, it]) => !isKnown(it)).map(([id, { Type }]) => [id, Type]));
  const kept = resources
    .filter(([, it]) => isKnown(it))
    .map(([id, it]) => [id, it.Type === 'AWS::DynamoDB::GlobalTable' ? { ...it, Type: 'AWS::DynamoDB::Table' } : it]);
  const text = JSON.stringify({ ...template, Resources: Object.fromEntries(kept) }, (_, value: unknown) => {
    const id = Reference.safeParse(value).data;
    return id !== undefined && without.has(id) ? `arn:aws:left-out:eu-west-1:123456789012:${id}` : value;
  });
  return { template: JSON.parse(text), leftOut: [...new Set(without.values())].toSorted() };
};

const unknown: readonly string[] = [
  'AWS::CloudWatch::Alarm',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::Schedule',
  'AWS::Scheduler::ScheduleGroup',
];

const Reference = z.union([
  z.strictObject({ Ref: z.string() }).transform(({ Ref }) => Ref),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).transform((it) => it['Fn::GetAtt'][0]),
]);

const Configuration = z.looseObject({ Environment: z.object({ Variables: z.record(z.string(), z.string()) }) });

const listening = (server: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      const at = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (at !== null) resolve(at[0]);
    };
    server.stdout?.on('data', hear);
    server.stderr?.on('data', hear);
    server.once('exit', () => reject(new Error(`the emulator did not start: ${said}`)));
  });
