import type { AgentDeed } from './t3-agent-script.ts';
import type { T3Note } from './t3-thread.ts';

type Deed<Does extends AgentDeed['does']> = Extract<AgentDeed, { does: Does }>;
export type T3Tokens = { readonly used: number; readonly total: number };

/** T3's own numbers: the longest prompt, and the context window it tells of. */
export const promptLengthMax = 120_000;
const contextTokensMax = 200_000;

/** What a token report says; the context holds at most its window, whatever was processed in all. */
export const tokensOf = (deed: Deed<'tokens'>): T3Tokens => ({
  used: deed.used ?? Math.min(deed.total, contextTokensMax),
  total: deed.total,
});

/** The total is left out while it says nothing beyond the context. */
export const contextWindowUpdated = ({ used, total }: T3Tokens): T3Note => ({
  tone: 'info',
  kind: 'context-window.updated',
  summary: 'Context window updated',
  payload: {
    usedTokens: used,
    lastUsedTokens: used,
    ...(total > used ? { totalProcessedTokens: total } : {}),
    maxTokens: contextTokensMax,
    compactsAutomatically: true,
  },
});

/** `missing` stands for the checkpoint that an interrupt could not wait for. */
export const checkpointCaptured = (turnCount: number, status: 'ready' | 'missing'): T3Note => ({
  tone: 'info',
  kind: 'checkpoint.captured',
  summary: 'Checkpoint captured',
  payload: { turnCount, status },
});

/** The three lines a tool call leaves. A tool that changes files or plans has another item type than a command. */
export const toolLines = (detail: string): readonly T3Note[] => {
  const isCommand = detail.startsWith('Bash');
  const itemType = isCommand ? 'command_execution' : 'file_change';
  const summary = isCommand ? 'Ran command' : 'File change';
  const [name] = detail.split(':', 1);
  return [
    { tone: 'tool', kind: 'tool.started', summary: `${summary} started`, payload: { itemType, detail: `${name}: {}` } },
    { tone: 'tool', kind: 'tool.updated', summary, payload: { itemType, status: 'inProgress', detail, data: {} } },
    { tone: 'tool', kind: 'tool.completed', summary, payload: { itemType, detail, data: {} } },
  ];
};

export const planUpdated = ({ step, completed, total }: Deed<'plan'>): T3Note => ({
  tone: 'info',
  kind: 'turn.plan.updated',
  summary: 'Plan updated',
  payload: {
    plan: Array.from({ length: total }, (_, index) => ({
      step: index === completed ? step : `Step ${index + 1}`,
      status: index < completed ? 'completed' : index === completed ? 'inProgress' : 'pending',
    })),
  },
});

/** A question's id is its own text. */
export const userInputRequested = (requestId: string, { question, options }: Deed<'ask'>): T3Note => ({
  tone: 'info',
  kind: 'user-input.requested',
  summary: 'User input requested',
  payload: { requestId, questions: [{ id: question, header: 'Choice', question, options, multiSelect: false }] },
});

export const approvalRequested = (requestId: string, { detail }: Deed<'approve'>): T3Note => ({
  tone: 'approval',
  kind: 'approval.requested',
  summary: 'Command approval requested',
  payload: { requestId, requestKind: 'command', requestType: 'command_execution_approval', detail },
});

/** Not recorded: the kinds are T3's, the payloads the least that a reader may count on. */
export const requestResolved = (requestId: string, answer: T3Answer): T3Note =>
  answer.to === 'approval'
    ? {
        tone: 'approval',
        kind: 'approval.resolved',
        summary: 'Approval resolved',
        payload: { requestId, requestKind: 'command', decision: answer.decision },
      }
    : {
        tone: 'info',
        kind: 'user-input.resolved',
        summary: 'User input submitted',
        payload: { requestId, answers: answer.answers },
      };
export type T3Answer =
  | { readonly to: 'approval'; readonly decision: string }
  | { readonly to: 'user-input'; readonly answers: Readonly<Record<string, unknown>> };

export const respondFailed = (requestId: string, to: T3Answer['to']): T3Note => ({
  tone: 'error',
  kind: `provider.${to}.respond.failed`,
  summary: to === 'approval' ? 'Provider approval response failed' : 'Provider user input response failed',
  payload: { requestId, detail: `Unknown pending ${to} request: ${requestId}` },
});

export const turnStartFailed = (detail: string): T3Note => ({
  tone: 'error',
  kind: 'provider.turn.start.failed',
  summary: 'Provider turn start failed',
  payload: { detail },
});
