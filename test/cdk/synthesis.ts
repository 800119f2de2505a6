import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib/core';
import * as z from 'zod';
import { checkedApp } from '../../cdk/checked-app.ts';

const Resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
type Resource = z.infer<typeof Resource>;
const Template = z.looseObject({ Resources: z.record(z.string(), Resource) });
export type Template = z.infer<typeof Template>;

/** An app whose functions hold `code` instead of a bundle, in a folder of its own. Call `synth` to have it checked. */
export const anApp = (context: Record<string, unknown> = {}, code = 'export const handler = async () => {};'): App => {
  const folder = mkdtempSync(join(tmpdir(), 'afk-cdk-'));
  const bundles = { poller: join(folder, 'poller'), watcher: join(folder, 'watcher') };
  for (const bundle of Object.values(bundles)) {
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'index.mjs'), code);
  }
  folders.push(folder);
  return checkedApp({ outdir: join(folder, 'cdk.out'), bundles, context });
};

const folders: string[] = [];
/** Removes what `anApp` left behind; for `afterAll`. */
export const removeApps = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
};

/** The template of an app that passed all its checks. */
export const templateOf = (app: App): Template => Template.parse(app.synth().getStackByName('Afk').template);

/** The resources of one type by logical id. */
export const resourcesOf = (template: Template, type: string): Record<string, Resource> =>
  Object.fromEntries(Object.entries(template.Resources).filter(([, resource]) => resource.Type === type));

/** The properties of all resources of one type. */
export const propertiesOf = (template: Template, type: string): Record<string, unknown>[] =>
  Object.values(resourcesOf(template, type)).map(({ Properties }) => Properties);

/** Which rules were acknowledged, anywhere in the app. */
export const acknowledgedIn = (app: App): unknown[] =>
  app.node
    .findAll()
    .flatMap((construct) => construct.node.metadata)
    .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
    .map(({ data }) => data);

/** Puts an intrinsic into words: a resource's attribute as `id.Arn`, a joined ARN without account and region. */
export const inWords = (value: unknown): string => {
  const parsed = Intrinsic.safeParse(value);
  if (!parsed.success) return JSON.stringify(value);
  const it = parsed.data;
  if (typeof it === 'string') return it;
  if ('Ref' in it) return it.Ref.startsWith('AWS::') ? '' : it.Ref;
  if ('Fn::GetAtt' in it) return it['Fn::GetAtt'].join('.');
  return it['Fn::Join'][1].map(inWords).join('');
};
const Intrinsic = z.union([
  z.string(),
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
  z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
]);
