import { App, Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { contextOf } from './context.ts';
import { afkStack, type Bundles } from './stack.ts';

/**
 * The app with its stack and everything that checks it at synthesis: the CloudFormation schemas, and the rules of
 * AwsSolutions. A finding fails the synthesis. `context` holds values beside those of the command line; throws for
 * one that is unknown or wrong.
 */
export const checkedApp = ({
  outdir,
  bundles,
  context = {},
}: {
  outdir: string;
  bundles: Bundles;
  context?: Readonly<Record<string, unknown>>;
}): App => {
  const app = new App({
    outdir,
    // The same template with and without the CLI, whatever that adds on its own account.
    analyticsReporting: false,
    context: { ...featureFlags, ...context },
  });
  afkStack(app, contextOf({ ...app.node.getAllContext() }), bundles);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
};

const featureFlags = {
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  // Tags of the stack itself would be handed by CloudFormation to every resource, the control parameters among them.
  '@aws-cdk/core:explicitStackTags': true,
};
