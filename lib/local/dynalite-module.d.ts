/** dynalite 4 ships no types; this is the part of it that is used. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  type Options = {
    /** Folder of the LevelDB store; without it everything is in memory. */
    path?: string;
    /** How long a new table stays in state CREATING. */
    createTableMs?: number;
  };

  const dynalite: (options?: Options) => Server;
  export default dynalite;
}
