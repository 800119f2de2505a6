/**
 * True for an exact `owner/name` of letters, digits, `.`, `_` and `-`, neither part a step up a path: what may stand
 * in the allowlist, in the settings and in a path on the executor's host.
 */
export const isRepoName = (text: string): boolean => {
  const parts = text.split('/');
  return (
    parts.length === 2 &&
    parts.every((part) => part.length <= 100 && /^[A-Za-z0-9._-]+$/.test(part) && !/^\.{1,2}$/.test(part))
  );
};

/** The form in which names are compared: they differ in case from place to place and mean the same repo. */
export const comparable = (repoName: string): string => repoName.toLowerCase();

/** The owner of a repo as it is compared: repos of one owner share what the tracker grants it and limits it to. */
export const ownerOf = (name: string): string => (name.split('/')[0] ?? '').toLowerCase();
