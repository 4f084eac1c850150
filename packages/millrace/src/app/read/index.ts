export { readTopic, type ReadOptions } from './read-topic.ts'
