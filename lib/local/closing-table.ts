import { checklistOf } from '../core/phase-checklist.ts';
import type { EndedRun } from '../core/run.ts';
import type { RepoSettings } from '../core/settings.ts';

/**
 * What became of every issue: outcome, the phases with how each is known (o observed, d declared by the agent), turns
 * and time from claim to end. One row per run, in order of repo and number.
 */
export const closingTable = (
  ended: readonly EndedRun[],
  settingsOf: (repo: string) => RepoSettings,
): readonly string[] => {
  const rows = ended
    .toSorted((a, b) =>
      a.repo.name < b.repo.name
        ? -1
        : a.repo.name > b.repo.name
          ? 1
          : a.issue.number - b.issue.number || a.claimedAt - b.claimedAt,
    )
    .map((run) => [
      `${run.repo.name}#${run.issue.number}`,
      run.outcome,
      checklistOf(run, settingsOf(run.repo.name).environments)
        .flatMap(({ phase, known }) => (known === null ? [] : [`${phase}(${known === 'observed' ? 'o' : 'd'})`]))
        .join(' '),
      String((run.turn?.n ?? -1) + 1),
      `${Math.round((run.endedAt - run.claimedAt) / 60_000)} min`,
    ]);
  const all = [['issue', 'outcome', 'phases (o observed, d declared)', 'turns', 'time'], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
};
