import { githubClient } from '../../../lib/adapters/github-client.ts';
import { githubForge } from '../../../lib/adapters/github-forge.ts';
import { githubTracker } from '../../../lib/adapters/github-tracker.ts';
import { watchMemory } from '../../../lib/adapters/github-watched.ts';
import { t3Client } from '../../../lib/adapters/t3-client.ts';
import { t3Server } from '../../../lib/sandbox/t3-server.ts';
import { validatedGithub } from '../../support/github-stand-in.ts';
import { httpPorts } from '../http-ports.ts';

const timeoutMs = 10_000;

/** The world of a history by the real adapters over HTTP. `undocumented` is what GitHub's documents do not know, once it was stopped. */
export const httpWorld = () => {
  const { portsOver, begin, end } = httpPorts({
    github: ({ github }, now) => validatedGithub(github, { now }),
    t3: ({ t3 }, now) => t3Server(t3, { now }),
    connect: (urls, now) => {
      const client = githubClient({ token: 'gh', baseUrl: urls.github, now, timeoutMs, writeSpacingMs: 0 });
      const watched = watchMemory(now);
      return {
        tracker: githubTracker({ client, watched }),
        forge: githubForge({ client, watched }),
        executor: t3Client({ url: urls.t3, token: 't3', timeoutMs }),
      };
    },
  });
  let wrong: readonly string[] = [];
  const stop = async (): Promise<void> => {
    await end().catch((error: unknown) => {
      wrong = [String(error)];
    });
  };
  return { portsOver, begin, stop, undocumented: () => wrong };
};
