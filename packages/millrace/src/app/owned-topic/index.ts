export { followPartition, OwnedTopic, type OwnedTopicOptions } from './owned-topic.ts'
