import { githubWorld } from '../../lib/sandbox/github-world.ts';

const minute = 60_000;

/** When the busy world begins; all has happened, CI and deployment included, forty minutes later. */
export const busyFrom = Date.parse('2026-03-01T09:00:00Z');
const start = busyFrom;

/** A world in which everything the stand-in can show has happened. */
export const aBusyWorld = () => {
  const world = githubWorld({ at: start });
  world.addUser('maintainer', { token: 'of-maintainer' });
  world.addUser('stranger', { token: 'of-stranger' });
  world.addUser('triager');
  world.addUser('helper[bot]', { type: 'Bot', token: 'of-helper' });
  world.addUser('copilot', { type: 'Bot', notAUser: true });
  const repo = world.addRepo('acme/app', {
    permissions: { maintainer: 'maintain', triager: 'triage', 'helper[bot]': 'write' },
    rules: { requiredChecks: [{ context: 'build', app: 'github-actions' }], pullRequest: true },
    ci: ({ message }) => [
      {
        kind: 'check',
        name: 'build',
        startsAfterMs: minute,
        endsAfterMs: 5 * minute,
        conclusion: message.includes('break') ? 'failure' : 'success',
      },
      { kind: 'check', name: 'slow', queuedAfterMs: 0, startsAfterMs: 2 * minute },
      { kind: 'check', name: 'preview', app: 'vercel', startsAfterMs: 0, endsAfterMs: minute, conclusion: 'stale' },
      { kind: 'status', context: 'ci/woodpecker', afterMs: minute, state: 'pending' },
      { kind: 'status', context: 'ci/woodpecker', afterMs: 3 * minute, state: 'success' },
      { kind: 'suite', app: 'dependabot' },
    ],
    deploys: () => [
      {
        environment: 'production',
        afterMs: 5 * minute,
        states: [
          { afterMs: 5 * minute, state: 'waiting' },
          { afterMs: 6 * minute, state: 'success' },
        ],
      },
    ],
  });
  world.addRepo('acme/old', { archived: true });
  world.addRepo('acme/tools');
  for (const name of ['ready-for-agent', 'agent-in-progress']) world.addLabel('acme/app', { name });
  world.openIssue('acme/app', { author: 'stranger', title: 'It breaks', body: 'Often.' }, start);
  world.openIssue('acme/app', { author: 'maintainer', title: 'First this', labels: ['later'] }, start);
  world.openIssue(
    'acme/app',
    { author: 'stranger', title: 'Part of it', labels: ['ready-for-agent'], labelledVia: 'form' },
    start,
  );
  world.openIssue('acme/app', { author: 'stranger', title: 'Not here' }, start);
  world.openIssue('acme/app', { author: 'stranger', title: 'Nobody wants this' }, start);
  world.label('acme/app', 1, 'ready-for-agent', 'maintainer', start + minute, {
    intent: { rationale: 'clear', confidence: 'high' },
  });
  world.unlabel('acme/app', 1, 'ready-for-agent', 'triager', start + minute);
  world.label('acme/app', 1, 'ready-for-agent', 'maintainer', start + 2 * minute, { via: 'some-app' });
  world.deleteUser('triager');
  world.addBlocker('acme/app', 1, { number: 2 });
  world.addSubIssue('acme/app', 1, { number: 3 });
  world.editBody('acme/app', 1, 'Often and badly.', 'stranger', start + 2 * minute);
  world.editTitle('acme/app', 1, 'It breaks badly', 'maintainer', start + 2 * minute);
  world.assign('acme/app', 1, 'maintainer');
  world.lock('acme/app', 1, 'maintainer', start + 2 * minute, 'spam');
  world.unlock('acme/app', 1, 'maintainer', start + 2 * minute);
  const comment = world.comment('acme/app', 1, 'Me too.', 'stranger', start + 3 * minute);
  world.deleteComment(world.comment('acme/app', 1, 'Spam.', 'stranger', start).id, 'maintainer', start + 3 * minute);
  world.transfer('acme/app', 4, 'acme/tools', 'maintainer', start + 3 * minute);
  world.deleteIssue('acme/app', 5);
  world.close('acme/app', 2, 'maintainer', start + 3 * minute, 'not_planned');
  world.reopen('acme/app', 2, 'maintainer', start + 3 * minute);
  const first = world.push(
    'acme/app',
    { actor: 'maintainer', commits: [{ message: 'Add\n\nRefs #1', files: ['a.ts'] }] },
    start + 4 * minute,
  );
  world.push('acme/app', { actor: 'helper[bot]', branch: 'fix', commits: [{ message: 'Try #1' }] }, start + 5 * minute);
  world.openPull(
    'acme/app',
    { author: 'helper[bot]', title: 'Fix it', body: 'Fixes #1', head: 'fix' },
    start + 5 * minute,
  );
  const last = world.push(
    'acme/app',
    { actor: 'maintainer', commits: [{ message: 'Mend\n\nCloses #1', files: ['b.ts'] }], mergeOnTop: 'fix' },
    start + 20 * minute,
  );
  return { world, repo, comment, first, last };
};
