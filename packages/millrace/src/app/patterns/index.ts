export { isPattern, pattern, routeOf, type TopicMatch } from './pattern.ts'
export { matchTopics } from './policy.ts'
export { mapperFaults, patternFaults } from './validate.ts'
