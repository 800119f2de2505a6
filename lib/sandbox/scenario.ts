import type { AgentName } from './agents.ts';
import { agentLogin, type SandboxWorld, sandboxWorld } from './world.ts';

/** One issue of the sandbox: who gets it and how it must end. `null` is an issue that must never be dispatched. */
export type Scene = {
  repo: string;
  number: number;
  title: string;
  agent: AgentName | null;
  ends: 'done' | 'escalated' | 'frozen' | 'untouched';
  blockedBy?: number;
  priority?: number;
};

const repos = [
  ...['acme/storefront', 'acme/api', 'acme/billing', 'acme/mobile', 'acme/docs', 'acme/infra'],
  ...['acme/search', 'acme/mail', 'acme/auth', 'acme/reports', 'acme/importer', 'acme/support'],
] as const;

/** The sandbox's story, in the order in which the issues were opened; numbers count per repo. */
export const scenes: readonly Scene[] = [
  {
    repo: 'acme/storefront',
    number: 1,
    title: 'Login button does nothing on the second click',
    agent: 'lands at once',
    ends: 'done',
  },
  {
    repo: 'acme/storefront',
    number: 2,
    title: 'Cart total ignores `DISCOUNT` codes',
    agent: 'pushes a merge commit on top',
    ends: 'done',
    blockedBy: 1,
  },
  { repo: 'acme/api', number: 1, title: 'Pagination drops the last row', agent: 'lands after a red CI', ends: 'done' },
  {
    repo: 'acme/api',
    number: 2,
    title: 'Worker dies on an empty queue',
    agent: 'crashes',
    ends: 'escalated',
    priority: 2,
  },
  {
    repo: 'acme/billing',
    number: 1,
    title: 'Rounding differs between invoice and receipt',
    agent: 'never gets green',
    ends: 'frozen',
  },
  {
    repo: 'acme/mobile',
    number: 1,
    title: 'Report screen needs a redesign',
    agent: 'stops without pushing',
    ends: 'escalated',
  },
  { repo: 'acme/mobile', number: 2, title: 'Splash screen flickers', agent: 'cannot start', ends: 'escalated' },
  { repo: 'acme/docs', number: 1, title: 'Dev server never comes up in CI', agent: 'hangs', ends: 'escalated' },
  {
    repo: 'acme/infra',
    number: 1,
    title: 'Health check answers 500 when the cache is cold',
    agent: 'closes the issue by keyword and turns out red',
    ends: 'done',
  },
  { repo: 'acme/infra', number: 2, title: 'Please run my script', agent: null, ends: 'untouched' },
  {
    repo: 'acme/search',
    number: 1,
    title: 'Results change their order on every reload',
    agent: 'asks a question and takes the answer',
    ends: 'done',
  },
  {
    repo: 'acme/search',
    number: 2,
    title: 'Umlauts are not found',
    agent: 'stays alive after green',
    ends: 'done',
  },
  {
    repo: 'acme/mail',
    number: 1,
    title: 'Bounced addresses are tried for ever',
    agent: 'never meets its provider',
    ends: 'escalated',
  },
  {
    repo: 'acme/auth',
    number: 1,
    title: 'Session cookie outlives the session',
    agent: 'meets a failing provider',
    ends: 'done',
  },
  {
    repo: 'acme/support',
    number: 1,
    title: 'Form forgets what was typed after a refusal',
    agent: 'needs a nudge',
    ends: 'done',
  },
  {
    repo: 'acme/reports',
    number: 1,
    title: 'Export takes the wrong year',
    agent: 'asks again and again',
    ends: 'escalated',
  },
  {
    repo: 'acme/reports',
    number: 2,
    title: 'Make the nightly report faster',
    agent: 'spends too much',
    ends: 'escalated',
  },
  {
    repo: 'acme/importer',
    number: 1,
    title: 'A file with a million rows is read twice',
    agent: 'takes its time',
    ends: 'done',
  },
];

/**
 * What happens to the sandbox beside its issues, in minutes since its beginning: T3 is restarted while the longest turn
 * is at work, which then looks alive for ever; later the operator flips the kill switch on for a while, and off again.
 * Both come when few agents are at work, so that each other story stays as its agent tells it.
 */
export const sandboxEvents = { restartAt: 32, haltFrom: 53, haltUntil: 55 } as const;

export const sandboxTokens = { github: 'ghs-sandbox-afk', t3: 't3-sandbox-token' } as const;

/** The story's world at its beginning: everybody trusted has labelled what they want done, and one stranger has too. */
export const sandboxScenario = (at: number): SandboxWorld => {
  const cast = new Map(
    scenes.flatMap(({ repo, number, agent }) => (agent === null ? [] : [[`${repo}#${number}`, agent] as const])),
  );
  const world = sandboxWorld({
    at,
    token: sandboxTokens.t3,
    cast,
    checkouts: (path) => path.startsWith('/srv/checkouts/acme__'),
  });
  const { github } = world;
  github.addUser('afk-bot', { token: sandboxTokens.github });
  github.addUser(agentLogin);
  github.addUser('maintainer');
  github.addUser('stranger');
  const permissions = { 'afk-bot': 'write', maintainer: 'maintain', [agentLogin]: 'write' } as const;
  for (const name of repos) world.addRepo(name, { permissions, deploys: name === 'acme/storefront' }, at);
  for (const scene of scenes) {
    const isStrangers = scene.agent === null;
    const body = `${scene.title}.\n\nSteps to reproduce and what is expected stand in the report.${scene.blockedBy === undefined ? '' : `\n\nBlocked by #${scene.blockedBy}`}`;
    github.openIssue(
      scene.repo,
      // An issue form puts its labels on whoever opens it: the stranger is the actor of the labelling.
      {
        author: isStrangers ? 'stranger' : 'maintainer',
        title: scene.title,
        body,
        ...(isStrangers && { labels: ['ready-for-agent'], labelledVia: 'form' as const }),
      },
      at,
    );
    if (isStrangers) continue;
    if (scene.priority !== undefined)
      github.label(scene.repo, scene.number, `priority:${scene.priority}`, 'maintainer', at);
    github.label(scene.repo, scene.number, 'ready-for-agent', 'maintainer', at + 1000);
  }
  return world;
};

/** What the sandbox's operator writes into its own two parameters, and the settings beside them. */
export const sandboxControl = (t3Url: string) => ({
  'kill-switch': 'false',
  allowlist: repos.join('\n'),
  settings: JSON.stringify(
    {
      t3Url,
      maxOpenRuns: repos.length,
      defaults: {
        model: 'claude-sonnet-5',
        workspaceRoot: '/srv/checkouts/{owner}__{name}',
        agentLogins: [agentLogin],
      },
      repos: { 'acme/storefront': { environments: ['production'] } },
    },
    null,
    2,
  ),
});
