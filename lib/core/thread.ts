/** A thread as the executor's list shows it. Stamps are the executor's own, ISO 8601, compared only with each other. */
export type Thread = {
  id: string;
  projectId: string;
  /** Null where no turn was ever taken up. */
  turn: {
    id: string;
    state: 'running' | 'completed' | 'error' | 'interrupted' | 'unknown';
    requestedAt: string;
  } | null;
  session: {
    status: 'idle' | 'starting' | 'running' | 'ready' | 'interrupted' | 'stopped' | 'error' | 'unknown';
    updatedAt: string;
    lastError: string | null;
  } | null;
  lastMessageAt: string | null;
  updatedAt: string;
  pending: 'question' | 'approval' | null;
  backgroundWork: boolean;
};

/** A question or an approval the agent waits for. `text` is what it asks, cleaned and bounded. */
export type AgentRequest = {
  requestId: string;
  kind: 'question' | 'approval';
  text: string;
  questionIds: readonly string[];
};
