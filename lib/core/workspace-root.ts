import { isRepoName } from './repo-name.ts';

/**
 * A path on the executor's host with `{owner}` and `{name}` filled in, as the name is spelled. Throws where the name
 * is none that a repo can have: nothing but letters, digits, `.`, `_` and `-` may get into a path.
 */
export const workspaceRootOf = (pattern: string, repoName: string): string => {
  if (!isRepoName(repoName)) throw new Error('not a name a path may be made of');
  const [owner = '', name = ''] = repoName.split('/');
  // Functions, since a string given to `replaceAll` has its own meaning for `$`.
  return pattern.replaceAll('{owner}', () => owner).replaceAll('{name}', () => name);
};

/** An absolute path, no step up, no other placeholder than `{owner}` and `{name}`, no character that cannot be seen. */
export const isWorkspaceRoot = (pattern: string): boolean =>
  pattern.length <= 500 &&
  /^(?:\/|[A-Za-z]:[\\/])[ -~]+$/.test(pattern) &&
  !/[{}]/.test(pattern.replace(/\{(?:owner|name)\}/g, '')) &&
  pattern.split(/[\\/]/).every((step) => step !== '.' && step !== '..');

/**
 * True where no two repos get the same path: both placeholders, and between them a slash or `__`, without which
 * `a-b/c` and `a/b-c` would share a checkout, and so an agent each.
 */
export const tellsReposApart = (pattern: string): boolean =>
  /\{owner\}(?:.*[\\/].*|.*__.*)\{name\}|\{name\}(?:.*[\\/].*|.*__.*)\{owner\}/.test(pattern);
