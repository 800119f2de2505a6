import * as z from 'zod';

/** What T3 takes for an id, a title, a branch or a path: a string with something in it besides white space. */
const Words = z.string().refine((text) => text.trim() !== '');
const ModelSelection = z.object({
  instanceId: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/),
  model: Words,
  options: z.unknown().optional(),
});
const RuntimeMode = z.enum(['approval-required', 'auto-accept-edits', 'auto', 'full-access']);
const InteractionMode = z.enum(['default', 'plan']);
// Required wherever it is listed and never looked at: the server stamps its own clock.
const CreatedAt = z.string();

const command = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), commandId: Words, ...shape });
const onProject = { projectId: Words };
const onThread = { threadId: Words };

/** Every command that T3 Code v0.0.32 takes over HTTP, with the fields a client may send. Unknown fields are dropped. */
export const T3Command = z.discriminatedUnion('type', [
  command('project.create', {
    ...onProject,
    title: Words,
    workspaceRoot: Words,
    createdAt: CreatedAt,
    createWorkspaceRootIfMissing: z.boolean().default(false),
    defaultModelSelection: ModelSelection.nullable().default(null),
  }),
  command('project.meta.update', {
    ...onProject,
    title: Words.optional(),
    workspaceRoot: Words.optional(),
    defaultModelSelection: ModelSelection.nullable().optional(),
    scripts: z.array(z.unknown()).optional(),
  }),
  command('project.delete', { ...onProject, force: z.boolean().default(false) }),
  command('thread.create', {
    ...onThread,
    ...onProject,
    title: Words,
    modelSelection: ModelSelection,
    runtimeMode: RuntimeMode,
    interactionMode: InteractionMode.default('default'),
    branch: Words.nullable(),
    worktreePath: Words.nullable(),
    createdAt: CreatedAt,
  }),
  command('thread.turn.start', {
    ...onThread,
    message: z.object({
      messageId: Words,
      role: z.literal('user'),
      text: z.string(), // its length is looked at only after the 200
      attachments: z.array(z.unknown()),
    }),
    runtimeMode: RuntimeMode,
    interactionMode: InteractionMode,
    createdAt: CreatedAt,
    modelSelection: ModelSelection.optional(),
    titleSeed: z.string().optional(),
    bootstrap: z.unknown().optional(), // only the WebSocket looks at it
  }),
  command('thread.turn.interrupt', { ...onThread, createdAt: CreatedAt, turnId: z.string().optional() }),
  command('thread.session.stop', { ...onThread, createdAt: CreatedAt }),
  command('thread.user-input.respond', {
    ...onThread,
    requestId: Words,
    answers: z.record(z.string(), z.unknown()),
    createdAt: CreatedAt,
  }),
  command('thread.approval.respond', {
    ...onThread,
    requestId: Words,
    decision: z.enum(['accept', 'acceptForSession', 'decline', 'cancel']),
    createdAt: CreatedAt,
  }),
  command('thread.settle', onThread),
  command('thread.unsettle', { ...onThread, reason: z.literal('user') }),
  command('thread.archive', onThread),
  command('thread.unarchive', onThread),
  command('thread.delete', onThread),
  command('thread.meta.update', {
    ...onThread,
    title: Words.optional(),
    branch: Words.nullable().optional(),
    expectedBranch: Words.nullable().optional(),
    worktreePath: Words.nullable().optional(),
    modelSelection: ModelSelection.optional(),
    regenerateTitle: z.boolean().optional(),
  }).refine(({ title, regenerateTitle }) => title === undefined || regenerateTitle !== true),
]);
export type T3Command = z.infer<typeof T3Command>;
export type T3CommandOf<Type extends T3Command['type']> = Extract<T3Command, { type: Type }>;
export type T3ModelSelection = z.infer<typeof ModelSelection>;

/** The command in a decoded request body, or null for anything T3 answers with 400 and an empty body. Total. */
export const decodeT3Command = (input: unknown): T3Command | null => T3Command.safeParse(input).data ?? null;
