"""Is it the same person? Compares a document portrait with selfies; knows nothing of credentials or of the web.

`matcher` holds the words (`FaceMatcher`, `MatchDecision`, `MatchEvidence`) and costs nothing to import;
`dlib_matcher.DlibMatcher` is the built-in matcher and loads native libraries. What it can and cannot claim is in
`docs/biometrics.md`.
"""
