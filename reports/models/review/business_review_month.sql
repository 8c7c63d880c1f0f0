{{ business_review("month") }}
