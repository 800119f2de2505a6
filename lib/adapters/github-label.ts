import * as z from 'zod';
import type { IssueRef, RepoRef } from '../core/issue.ts';
import { PortError } from '../ports.ts';
import { type GithubClient, read } from './github-client.ts';
import { type GithubAnswer, graphqlRefusal } from './github-refusal.ts';
import { IssueRow } from './github-wire.ts';

/** Takes one label off one issue. Already off, or nothing there to be on: as good. */
export const takeLabelOff = async (client: GithubClient, issue: IssueRef, name: string): Promise<void> => {
  const path = { repo_id: issue.repo.id, issue_number: issue.number };
  const answer = await client.ask(`DELETE ${issuePath}/labels/{name}`, { ...path, name }, [200, 204, 404, 410]);
  if (answer.status !== 404) return;
  // What one may not do reads like what is not there; only a look tells.
  const left = await client.ask(`GET ${issuePath}`, path, [200, 301, 404, 410]);
  if (left.status !== 200) return;
  const { labels } = read(IssueRow, left.data, `GET ${issuePath}`);
  if (labels.some((label) => label.toLowerCase() === name.toLowerCase())) {
    throw new PortError(
      'refused',
      `DELETE ${issuePath}/labels/{name}: the label stays on; the token may not take it off`,
    );
  }
};

/**
 * The node id of a label that was not found by its exact name: of one that differs in case, else of one made now, or by
 * somebody else in this very moment.
 */
export const makeLabel = async (client: GithubClient, repo: RepoRef, name: string): Promise<string> => {
  const known = await labelId(client, repo, name);
  if (known !== null) return known;
  const asked = { repo_id: repo.id, name, ...newLabel };
  const made = await client.ask(`POST ${labelsPath}`, asked, [201, 422]);
  if (made.status === 201) return read(MadeLabel, made.data, `POST ${labelsPath}`).node_id;
  const theirs = isThereAlready(made) ? await labelId(client, repo, name) : null;
  if (theirs !== null) return theirs;
  throw new PortError('refused', `POST ${labelsPath}: GitHub takes no label of this name`);
};

/** How a label looks that we make. */
export const newLabel = { color: 'ededed', description: 'Set and read by AFK' } as const;

/** Somebody made it in between, or its name differs in case only. */
export const isThereAlready = ({ status, data }: GithubAnswer): boolean =>
  status === 422 && JSON.stringify(data).includes('already_exists');

const issuePath = '/repositories/{repo_id}/issues/{issue_number}';
const labelsPath = '/repositories/{repo_id}/labels';

const MadeLabel = z.object({ node_id: z.string() });

const labelId = async (client: GithubClient, repo: RepoRef, name: string): Promise<string | null> => {
  const { data, errors } = await client.query(labelQuery, { repo: repo.nodeId, name });
  if (errors.length > 0) throw graphqlRefusal('query Label', errors);
  const labels = read(LabelAnswer, data, 'query Label').repo?.labels?.nodes ?? [];
  return labels.find((label) => label?.name.toLowerCase() === name.toLowerCase())?.id ?? null;
};

// A search among names and descriptions, which is not said to look at case; the name is compared here.
const labelQuery = /* GraphQL */ `
  query Label($repo: ID!, $name: String!) {
    repo: node(id: $repo) { ... on Repository { labels(first: 100, query: $name) { nodes { id name } } } }
  }
`;

const LabelAnswer = z.object({
  repo: z
    .object({
      labels: z
        .object({ nodes: z.array(z.object({ id: z.string(), name: z.string() }).nullable()).nullish() })
        .nullish(),
    })
    .nullish(),
});
