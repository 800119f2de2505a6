import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The sandbox's own operator: a person with an editor, as far as the sandbox goes. Writes parameters of a sandbox's
 * folder, and of no other: a folder without the sandbox's mark is refused, so that nothing real is ever armed here.
 */
export const operate = (folder: string, values: Readonly<Record<string, string>>): void => {
  if (!folder.split(/[\\/]/).includes('sandbox')) throw new Error(`${folder} is not a sandbox's folder`);
  mkdirSync(folder, { recursive: true });
  for (const [name, value] of Object.entries(values)) {
    // A parameter is never seen half written.
    writeFileSync(join(folder, `.${name}.new`), `${value}\n`);
    renameSync(join(folder, `.${name}.new`), join(folder, name));
  }
};
