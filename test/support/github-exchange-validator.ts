import type { Exchange } from '../../lib/sandbox/github-handler.ts';
import { graphqlViolations } from './github-exchange-graphql.ts';
import { restViolations } from './github-exchange-rest.ts';

/**
 * Holds one exchange against GitHub's own documents: the OpenAPI extract in `test/fixtures/github` for REST, the SDL of
 * `github-schema` for GraphQL. Answers that a test injected are not looked at, their requests are. Empty when all is well.
 */
export const violationsOf = (exchange: Exchange): string[] => {
  const { method, path } = exchange.request;
  const where = `${method} ${path.split('?')[0]}`;
  try {
    const wrong = path.startsWith('/graphql') ? graphqlViolations(exchange) : restViolations(exchange);
    return wrong.map((one) => `${where}: ${one}`);
  } catch (error) {
    // What cannot even be read (no JSON, no GraphQL) is a breach too.
    return [`${where}: ${error instanceof Error ? error.message : String(error)}`];
  }
};
