package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"newsroom/nutgraf"
)

func given[T any](answer T, _ any, err error) T {
	if err != nil {
		panic(err)
	}
	return answer
}

func texts(values []nutgraf.ConceptOrName) string {
	names := []string{}
	for _, value := range values {
		names = append(names, *value.String)
	}
	return strings.Join(names, " ")
}

func main() {
	ctx, configuration := context.Background(), nutgraf.NewConfiguration()
	configuration.Servers[0].URL = "http://127.0.0.1:8000"
	client := nutgraf.NewAPIClient(configuration)

	ids := []string{}
	for search := client.SearchAPI.Search(ctx).Q("harbour").Limit(1); ; {
		page := given(search.Execute())
		for _, hit := range page.Hits {
			ids = append(ids, hit.ArticleHit.Id)
		}
		if page.Next.Get() == nil {
			break
		}
		search = search.Cursor(page.GetNext())
	}
	sort.Strings(ids)
	fmt.Println(strings.Join(ids, " "))

	query := nutgraf.NewSearchArguments()
	query.SetQ("harbour")
	query.SetFields([]string{"subjects", "published"})
	query.SetExclude(nutgraf.SearchArgumentsExclude{Source: []string{"Harbour Desk"}})
	hit := given(client.SearchAPI.SearchByBody(ctx).SearchArguments(*query).Execute()).Hits[0].ArticleHit
	fmt.Println(hit.Id, texts(hit.Subjects), hit.Published.Year())

	headline, paragraph, subject := "Tram", "By a mile.", "transport"
	body := nutgraf.ArticleBody{
		Headline:   &headline,
		Paragraphs: []nutgraf.ParagraphOrText{{String: &paragraph}},
		Subjects:   []nutgraf.ConceptOrName{{String: &subject}},
	}
	put := given(client.ArticlesAPI.PutArticle(ctx, "desk/tram").ArticleBody(body).Execute())
	fmt.Println(put.Results[0].Status)
	article := given(client.ArticlesAPI.GetArticle(ctx, "desk/tram").Execute())
	fmt.Println(article.GetHeadline(), texts(article.Subjects), article.Paragraphs[1].Text)

	articles := []nutgraf.ListedArticle{}
	for _, id := range []string{"a", "b"} {
		article := nutgraf.NewListedArticle(id)
		article.SetHeadline(id)
		article.SetParagraphs([]nutgraf.ParagraphOrText{{String: &paragraph}})
		articles = append(articles, *article)
	}
	list := nutgraf.ArticleOrList{ArrayOfListedArticle: &articles}
	posted := given(client.ArticlesAPI.PostArticles(ctx).ArticleOrList(list).Execute())
	fmt.Println(posted.Results[0].Status, posted.Results[1].Status)

	note := nutgraf.KillArguments{Note: nutgraf.PtrString("No.")}
	killed := given(client.WithdrawalsAPI.KillArticle(ctx, "desk/tram").KillArguments(note).Execute())
	fmt.Println(killed.Id, killed.Notices[0].GetNote())
	_, _, err := client.ArticlesAPI.GetArticle(ctx, "desk/tram").Execute()
	var refusal *nutgraf.GenericOpenAPIError
	if !errors.As(err, &refusal) {
		panic(err)
	}
	fmt.Println(refusal.Model().(nutgraf.Problem).Code)

	for since, more := "0", true; more; {
		page := given(client.ChangesAPI.ListChanges(ctx).Since(since).Limit(2).Execute())
		for _, change := range page.Changes {
			fmt.Println(change.Seq, change.Type, change.Id)
		}
		since, more = strconv.FormatInt(page.Next, 10), page.More
	}
}
