import type { Answer, Received } from './loopback.ts';

/**
 * Amazon SNS as far as `Publish` goes, in the protocol its client speaks: a form in, XML out. It refuses what SNS
 * refuses: a request that is not signed for it, an unknown action or topic, an empty message or one over 256 KiB, and a
 * subject with a character outside ASCII, with a line break or of 100 characters and more.
 */
export const snsAnswer =
  (topicArn: string): Answer =>
  (response, request) => {
    const say = (status: number, body: string): void =>
      void response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
    const wrong = refusalOf(request, topicArn);
    if (wrong === null)
      return say(
        200,
        `<PublishResponse xmlns="${namespace}"><PublishResult><MessageId>0a1b2c3d-0000-4000-8000-000000000001</MessageId></PublishResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>`,
      );
    return say(
      wrong.status,
      `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${wrong.code}</Code><Message>${wrong.words}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
    );
  };

/** The fields of a published message. */
export const publishedIn = ({ body }: Received): Readonly<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(body));

const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

type Refusal = { status: number; code: string; words: string };

const refusalOf = (request: Received, topicArn: string): Refusal | null => {
  const { Action, Version, TopicArn, Subject, Message = '' } = publishedIn(request);
  const invalid = (words: string): Refusal => ({ status: 400, code: 'InvalidParameter', words });
  if (!/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/eu-west-1\/sns\/aws4_request,/.test(authorization(request)))
    return { status: 403, code: 'SignatureDoesNotMatch', words: 'not signed for sns in eu-west-1' };
  if (request.method !== 'POST' || Action !== 'Publish' || Version !== '2010-03-31')
    return { status: 400, code: 'InvalidAction', words: 'no such action' };
  if (TopicArn !== topicArn) return { status: 404, code: 'NotFound', words: 'Topic does not exist' };
  if (Message === '') return invalid('Empty message');
  if (Buffer.byteLength(Message) > 262_144) return invalid('Message too long');
  if (Subject !== undefined && !/^[!-~][\x20-\x7e]{0,98}$/.test(Subject)) return invalid('Subject');
  return null;
};

const authorization = ({ headers }: Received): string => headers.authorization ?? '';
