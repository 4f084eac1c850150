export { isPattern, pattern, routeOf, type TopicMatch } from './pattern.ts'
export { matchTopics, type FoundTopic, type Route } from './policy.ts'
export { mapperFaults, patternFaults } from './validate.ts'
