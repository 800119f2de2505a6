import { join } from 'node:path';
import { checkedApp } from './checked-app.ts';

// What the CLI runs (`cdk.json`), and what `npm run synth` runs without it: offline and without credentials.
const dist = join(import.meta.dirname, '..', 'dist');
checkedApp({
  outdir: process.env['CDK_OUTDIR'] ?? 'cdk.out',
  bundles: { poller: join(dist, 'poller'), watcher: join(dist, 'watcher') },
}).synth();
