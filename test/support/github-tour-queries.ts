/** The shapes of query the adapter uses, for tests of the stand-in alone. */
export const scanQuery = `query Scan($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    ... on Repository {
      id databaseId nameWithOwner isArchived isDisabled isLocked hasIssuesEnabled viewerPermission
      defaultBranchRef {
        name
        target { oid }
        refUpdateRule { requiredStatusCheckContexts viewerCanPush }
        rules(first: 50) {
          nodes {
            type
            parameters {
              __typename
              ... on RequiredStatusChecksParameters { requiredStatusChecks { context integrationId } }
              ... on PullRequestParameters { requiredApprovingReviewCount }
            }
          }
        }
      }
      labels(first: 100) { nodes { id name color } }
      issues(first: 10, labels: ["ready-for-agent"], states: [OPEN], orderBy: { field: CREATED_AT, direction: ASC }) {
        totalCount
        nodes {
          id number updatedAt lastEditedAt authorAssociation
          issueDependenciesSummary { blockedBy totalBlockedBy }
          subIssuesSummary { total completed }
        }
      }
    }
  }
  rateLimit { cost limit remaining used resetAt nodeCount }
}`;

export const detailQuery = `query Detail($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    ... on Issue {
      id databaseId number url title body state stateReason locked createdAt updatedAt lastEditedAt includesCreatedEdit
      editor { ...who } author { ...who } authorAssociation viewerDidAuthor
      repository { id nameWithOwner isArchived defaultBranchRef { name target { oid } } }
      labels(first: 50) { nodes { id name } }
      assignees(first: 10) { nodes { login } }
      trust: timelineItems(last: 50, itemTypes: [LABELED_EVENT, UNLABELED_EVENT, RENAMED_TITLE_EVENT, TRANSFERRED_EVENT, REOPENED_EVENT]) {
        pageInfo { hasPreviousPage }
        nodes {
          __typename
          ... on LabeledEvent { createdAt actor { ...who } label { id name } }
          ... on UnlabeledEvent { createdAt actor { ...who } label { id name } }
          ... on RenamedTitleEvent { createdAt actor { ...who } previousTitle currentTitle }
          ... on TransferredEvent { createdAt actor { ...who } fromRepository { nameWithOwner } }
          ... on ReopenedEvent { createdAt actor { ...who } }
        }
      }
      whole: timelineItems(first: 100) { totalCount nodes { __typename } }
      userContentEdits(first: 20) { totalCount nodes { editedAt deletedAt editor { ...who } } }
      issueDependenciesSummary { blockedBy totalBlockedBy blocking totalBlocking }
      blockedBy(first: 20) { nodes { number state url repository { nameWithOwner isPrivate } } }
      parent { number }
      subIssuesSummary { total completed percentCompleted }
      subIssues(first: 20) { nodes { number state } }
      closedByPullRequestsReferences(first: 10, includeClosedPrs: false) { nodes { number isDraft author { ...who } } }
      comments(last: 50) {
        nodes { id databaseId createdAt lastEditedAt isMinimized authorAssociation viewerDidAuthor author { ...who } editor { ...who } body }
      }
    }
  }
}
fragment who on Actor { __typename login ... on User { databaseId } ... on Bot { databaseId } }`;

export const watchQuery = `query Watch($owner: String!, $repo: String!, $oid: GitObjectID!, $number: Int!, $environments: [String!]) {
  repository(owner: $owner, name: $repo) {
    object(oid: $oid) {
      __typename
      ... on Commit {
        id oid message
        statusCheckRollup {
          state
          contexts(first: 100) {
            totalCount checkRunCount statusContextCount
            checkRunCountsByState { state count }
            statusContextCountsByState { state count }
            nodes {
              __typename
              ... on CheckRun {
                databaseId name status conclusion startedAt completedAt detailsUrl
                checkSuite { app { slug } workflowRun { event workflow { name } } }
              }
              ... on StatusContext { context state createdAt targetUrl }
            }
          }
        }
        checkSuites(first: 50) {
          nodes {
            status conclusion app { slug } workflowRun { event } checkRuns(first: 1) { totalCount }
            push { previousSha nextSha pusher { login } }
          }
        }
        deployments(first: 20) { nodes { environment state latestStatus { state } } }
      }
    }
    deployments(first: 20, environments: $environments, orderBy: { field: CREATED_AT, direction: DESC }) {
      nodes { databaseId environment state commitOid createdAt latestStatus { state createdAt } statuses(first: 10) { nodes { state } } }
    }
    issue(number: $number) {
      state stateReason locked
      timelineItems(last: 50, itemTypes: [CLOSED_EVENT, REOPENED_EVENT, REFERENCED_EVENT, CROSS_REFERENCED_EVENT]) {
        nodes {
          __typename
          ... on ClosedEvent { createdAt actor { login } closer { __typename ... on Commit { oid } ... on PullRequest { number } } }
          ... on ReopenedEvent { createdAt actor { login } }
          ... on ReferencedEvent { createdAt isCrossRepository commit { oid } commitRepository { nameWithOwner } }
          ... on CrossReferencedEvent {
            createdAt isCrossRepository willCloseTarget
            source { __typename ... on PullRequest { number headRefName isDraft state url author { login } } ... on Issue { number } }
          }
        }
      }
    }
    defaultBranchRef { name target { oid } }
  }
}`;

export const startMutation = `mutation Start($issue: ID!, $add: [ID!]!, $body: String!) {
  comment: addComment(input: { subjectId: $issue, body: $body }) { commentEdge { node { id databaseId url } } }
  add: addLabelsToLabelable(input: { labelableId: $issue, labelIds: $add }) {
    labelable { labels(first: 20) { nodes { name } } }
  }
}`;

export const finishMutation = `mutation Finish($issue: ID!, $comment: ID!, $add: [ID!]!, $remove: [ID!]!, $body: String!) {
  edit: updateIssueComment(input: { id: $comment, body: $body }) { issueComment { id body } }
  add: addLabelsToLabelable(input: { labelableId: $issue, labelIds: $add }) { clientMutationId }
  remove: removeLabelsFromLabelable(input: { labelableId: $issue, labelIds: $remove }) { clientMutationId }
  reopen: reopenIssue(input: { issueId: $issue }) { issue { state } }
  close: closeIssue(input: { issueId: $issue, stateReason: COMPLETED }) { issue { state stateReason } }
}`;
