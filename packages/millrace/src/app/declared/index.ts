export { compareTopics, type FoundTopic, type TopicDifference } from './compare-topics.ts'
export { findTopics } from './find-topics.ts'
export { wantedTopics, type WantedTopic } from './wanted-topics.ts'
