import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { normalised, type Recording, recording, recordingNames, stateReader } from './t3-recording.ts';
import { openRequestIn, type Scene, scenes } from './t3-scenes.ts';
import { projectCreate, type Stage, stage, threadCreate } from './t3-stage.ts';

// How long a state may last that the recording's polling did not see.
const unseenMsMax = 250;

test('every recording has a scene, or a reason why it has none', () => {
  expect(Object.keys(scenes).toSorted()).toEqual(recordingNames);
  const left = Object.entries(scenes).flatMap(([name, scene]) => ('outOfScope' in scene ? [name] : []));
  expect(left).toEqual(['websocket-bootstrap']);
});

describe('in the situation of a recording the stand-in answers and goes on as the real server did', () => {
  for (const [name, scene] of Object.entries(scenes)) {
    if (!('outOfScope' in scene)) test(name, () => replay(recording(name), scene));
  }
});

const replay = (recorded: Recording, scene: Scene): void => {
  const now = stage(scene.agents, scene.options);
  if (!scene.empty) now.send(projectCreate());
  prepareThread(now, recorded, scene);
  scene.given?.(now);

  const { method, path, headers } = recorded.request;
  const answer = now.http(method, path, bodyFor(now, recorded), { ...noCredential(headers), ...headers });
  expect(answer.status).toBe(recorded.response.status);
  expect(answer.headers).toEqual(recorded.response.headers);
  expect(comparable(answer.body === '' ? '' : JSON.parse(answer.body), scene)).toEqual(
    comparable(recorded.response.body, scene),
  );
  if (scene.sequence !== undefined) expect(JSON.parse(answer.body)).toEqual({ sequence: scene.sequence });

  const shown = watch(now, scene);
  for (const [threadId, states] of recordedStates(recorded)) {
    expectSameCourse(states, statesOf(threadId, shown));
  }
  scene.afterwards?.(now);
};

const Command = z.object({ type: z.string(), threadId: z.string() });

/** The thread of the recorded command, made as the recording shows it. */
const prepareThread = (now: Stage, recorded: Recording, { withoutThread }: Scene): void => {
  const asked = Command.safeParse(recorded.request.body);
  if (withoutThread || !asked.success) return;
  const { threadId } = asked.data;
  const last = recorded.observed.findLast(({ thread }) => thread?.['id'] === threadId)?.thread ?? {};
  const session = z.object({ providerInstanceId: z.string(), runtimeMode: z.string() }).safeParse(last['session']).data;
  now.send(
    threadCreate(threadId, {
      branch: last['branch'] ?? null,
      worktreePath: last['worktreePath'] ?? null,
      modelSelection: { instanceId: session?.providerInstanceId ?? 'claudeAgent', model: 'claude-sonnet-5' },
      runtimeMode: session?.runtimeMode ?? 'full-access',
    }),
  );
};

const noCredential = (headers: Record<string, string>) => ('authorization' in headers ? {} : { authorization: '' });

/** The recorded body, with the ids that only this world can know. */
const bodyFor = (now: Stage, { request: { path, body } }: Recording): unknown => {
  if (path === '/oauth/token') {
    const minted = now.http('POST', '/api/auth/pairing-token', {
      label: 'dispatcher',
      scopes: ['orchestration:read', 'orchestration:operate'],
    });
    const form = z.record(z.string(), z.string()).parse(body);
    return new URLSearchParams({ ...form, subject_token: JSON.parse(minted.body).credential }).toString();
  }
  const answering = z.looseObject({ threadId: z.string(), requestId: z.string() }).safeParse(body).data;
  return answering ? { ...answering, requestId: openRequestIn(now, answering.threadId) } : body;
};

const comparable = (body: unknown, { firstOfEachKind }: Scene): unknown => {
  const thread = z.object({ thread: z.object({ activities: z.array(z.object({ kind: z.string() })) }) });
  const parsed = thread.safeParse(body).data;
  if (!parsed) return normalised(body);
  // Lines of one instant come in the order of their ids, and ids are drawn: the order of kinds is ours.
  const activities = z
    .object({ thread: z.object({ activities: z.array(z.looseObject({ kind: z.string() })) }) })
    .parse(body)
    .thread.activities.filter(
      ({ kind }, index, all) => !firstOfEachKind || all.findIndex((other) => other.kind === kind) === index,
    )
    .map((activity) => normalised(activity))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return normalised({ ...z.looseObject({}).parse(body), thread: { ...threadIn(body), activities } });
};
const threadIn = (body: unknown): object => z.object({ thread: z.looseObject({}) }).parse(body).thread;

type Shown = { readonly at: number; readonly threads: readonly { id: string }[] };

/** The shell after every single thing that happens, until nothing is due any more. */
const watch = (now: Stage, { meanwhile = [] }: Scene): readonly Shown[] => {
  const began = now.now();
  const todo = meanwhile.map(({ afterMs, happens }) => ({ at: began + afterMs, happens }));
  const shown: Shown[] = [{ at: began, threads: now.shell().threads }];
  for (;;) {
    const nextAt = Math.min(now.world.nextAt() ?? Number.POSITIVE_INFINITY, todo[0]?.at ?? Number.POSITIVE_INFINITY);
    if (nextAt === Number.POSITIVE_INFINITY) return shown;
    now.wait(nextAt - now.now());
    if (todo[0] && todo[0].at <= now.now()) todo.shift()?.happens(now);
    shown.push({ at: now.now(), threads: now.shell().threads });
  }
};

type State = { readonly at: number; readonly says: string };

const recordedStates = (recorded: Recording): ReadonlyMap<string, readonly string[]> => {
  const read = new Map<string, ReturnType<typeof stateReader>>();
  const states = new Map<string, string[]>();
  for (const { thread } of recorded.observed) {
    const id = z.object({ id: z.string(), hasPendingUserInput: z.boolean() }).safeParse(thread).data?.id;
    if (id === undefined) continue;
    const reader = read.get(id) ?? stateReader(readingOf(id));
    read.set(id, reader);
    states.set(id, [...(states.get(id) ?? []), reader(thread)]);
  }
  return states;
};

const statesOf = (threadId: string, shown: readonly Shown[]): readonly State[] => {
  const read = stateReader(readingOf(threadId));
  return shown.flatMap(({ at, threads }) => {
    const thread = threads.find(({ id }) => id === threadId);
    return thread ? [{ at, says: read(thread) }] : [];
  });
};

// The recordings of runs 80 and up leave out changes of the message id alone.
const readingOf = (threadId: string) => ({ withMessages: Number(threadId.split('-')[2]) < 80 });

/** Every recorded state comes, in order; between them nothing lasts that polling would have seen; after the last, nothing. */
const expectSameCourse = (recorded: readonly string[], shown: readonly State[]): void => {
  const course = shown.filter(({ says }, index) => says !== shown[index - 1]?.says);
  let position = 0;
  for (const says of recorded.filter((state, index) => state !== recorded[index - 1])) {
    while (course[position] && course[position]?.says !== says) {
      const lasted = (course[position + 1]?.at ?? Number.POSITIVE_INFINITY) - (course[position]?.at ?? 0);
      if (lasted > unseenMsMax) break;
      position += 1;
    }
    expect(course[position]?.says).toBe(says);
    position += 1;
  }
  expect(course.slice(position)).toEqual([]);
};
