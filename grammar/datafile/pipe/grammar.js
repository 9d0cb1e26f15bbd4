/**
 * @file Tree-sitter grammar for `.pipe` files.
 * @license Apache-2.0
 */

module.exports = require('../define.js')('pipe');
