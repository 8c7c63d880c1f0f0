{{ business_review("week") }}
