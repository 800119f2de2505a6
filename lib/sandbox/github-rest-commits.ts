import { isoOf, shaOf } from './github-ids.ts';
import type { compareCommits } from './github-reads.ts';
import type { Face } from './github-rest-accounts.ts';
import { actorShape } from './github-rest-accounts.ts';
import { repoHtml, repoUrl } from './github-rest-shapes.ts';
import type { Activity, Commit, Repo } from './github-state.ts';

/** The name in a commit's own text: GitHub's address for accounts that show none. */
export const gitUser = (commit: Commit) => ({
  name: commit.author,
  email: `${encodeURIComponent(commit.author)}@users.noreply.github.com`,
  date: isoOf(commit.at),
});

const fileShape = (face: Face, repo: Repo, commit: Commit, name: string) => ({
  sha: shaOf(`${commit.sha}:${name}`),
  filename: name,
  status: 'modified',
  additions: 1,
  deletions: 0,
  changes: 1,
  blob_url: `${repoHtml(repo)}/blob/${commit.sha}/${encodeURIComponent(name)}`,
  raw_url: `${repoHtml(repo)}/raw/${commit.sha}/${encodeURIComponent(name)}`,
  contents_url: `${repoUrl(face, repo)}/contents/${encodeURIComponent(name)}?ref=${commit.sha}`,
});

/** `commit`; its files only where one commit is asked for. */
export const commitShape = (face: Face, repo: Repo, commit: Commit, withFiles = false) => {
  const url = `${repoUrl(face, repo)}/commits/${commit.sha}`;
  const tree = shaOf(`tree:${commit.sha}`);
  return {
    sha: commit.sha,
    node_id: commit.nodeId,
    url,
    html_url: `${repoHtml(repo)}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    commit: {
      author: gitUser(commit),
      committer: gitUser(commit),
      message: commit.message,
      tree: { sha: tree, url: `${repoUrl(face, repo)}/git/trees/${tree}` },
      url: `${repoUrl(face, repo)}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    author: actorShape(face, commit.author),
    committer: actorShape(face, commit.author),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${repoUrl(face, repo)}/commits/${sha}`,
      html_url: `${repoHtml(repo)}/commit/${sha}`,
    })),
    ...(withFiles && {
      stats: { additions: commit.files.length, deletions: 0, total: commit.files.length },
      files: commit.files.map((name) => fileShape(face, repo, commit, name)),
    }),
  };
};

/** `commit-comparison` with one page of the commits. */
export const comparisonShape = (
  face: Face,
  repo: Repo,
  ends: { basehead: string; base: Commit },
  compared: NonNullable<ReturnType<typeof compareCommits>>,
  page: readonly Commit[],
) => {
  const address = `${repoHtml(repo)}/compare/${encodeURIComponent(ends.basehead)}`;
  const named = new Map(compared.ahead.flatMap((commit) => commit.files.map((name) => [name, commit] as const)));
  return {
    url: `${repoUrl(face, repo)}/compare/${encodeURIComponent(ends.basehead)}`,
    html_url: address,
    permalink_url: address,
    diff_url: `${address}.diff`,
    patch_url: `${address}.patch`,
    base_commit: commitShape(face, repo, ends.base),
    merge_base_commit: commitShape(face, repo, compared.common),
    status: compared.status,
    ahead_by: compared.ahead.length,
    behind_by: compared.behind,
    total_commits: compared.ahead.length,
    commits: page.map((commit) => commitShape(face, repo, commit)),
    files: [...named].map(([name, commit]) => fileShape(face, repo, commit, name)),
  };
};

/** `activity`. */
export const activityShape = (face: Face, entry: Activity) => ({
  id: entry.id,
  node_id: entry.nodeId,
  before: entry.before,
  after: entry.after,
  ref: entry.ref,
  timestamp: isoOf(entry.at),
  activity_type: entry.kind,
  actor: actorShape(face, entry.actor),
});
