import * as z from 'zod';
import type { RequiredCheck } from '../core/ci-verdict.ts';
import type { GraphqlError } from './github-refusal.ts';

/**
 * The checks the default branch demands, of its rulesets and of its classic protection, at most 100. A ruleset names
 * the app that must report a check, if it wants one; the protection, as those see it who may not administer, does not.
 */
export const requiredOf = (branch: z.infer<typeof RulesOfBranch>): readonly RequiredCheck[] => {
  const ofRulesets = (branch?.rules?.nodes ?? []).flatMap((rule) =>
    (rule?.parameters?.requiredStatusChecks ?? []).map(({ context, integrationId }) => ({
      name: context,
      appId: integrationId ?? null,
    })),
  );
  const ofProtection = (branch?.refUpdateRule?.requiredStatusCheckContexts ?? []).flatMap((name) =>
    name === null || ofRulesets.some((rule) => rule.name === name) ? [] : [{ name, appId: null }],
  );
  return [...ofRulesets, ...ofProtection].slice(0, requiredMax);
};

const requiredMax = 100;

/** To be asked of a `Repository`. Needs no right but to see it. */
export const rulesOfBranch = /* GraphQL */ `
  defaultBranchRef {
    refUpdateRule { requiredStatusCheckContexts }
    rules(first: 100) {
      nodes {
        parameters {
          __typename
          ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } }
        }
      }
    }
  }
`;

/** Where rules are no part of the plan, or not shown to this token, there are none that anybody could be held to. */
export const isNoRules = ({ type, path }: GraphqlError): boolean =>
  type === 'FORBIDDEN' && path?.[0] === 'node' && path[1] === 'defaultBranchRef';

// A rule of another kind has parameters of its own, or none.
const Parameters = z
  .object({
    requiredStatusChecks: z
      .array(z.object({ context: z.string(), integrationId: z.number().int().nullish() }))
      .optional(),
  })
  .nullish();

export const RulesOfBranch = z
  .object({
    refUpdateRule: z.object({ requiredStatusCheckContexts: z.array(z.string().nullable()).nullish() }).nullish(),
    rules: z.object({ nodes: z.array(z.object({ parameters: Parameters }).nullable()).nullish() }).nullish(),
  })
  .nullish();
