/** The ARN of a standard topic of SNS; the first group is its region. */
export const topicArnPattern = /^arn:aws[a-z-]*:sns:([a-z0-9-]{1,30}):\d{12}:[A-Za-z0-9_-]{1,256}$/;
